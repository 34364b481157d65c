"""The few texts of an Exif block that tools use for recipes; everything else is passed over.

Exif 2.32 (CIPA DC-008): a TIFF header, then directories of twelve-byte entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

ByteOrder = Literal["little", "big"]
TEXTS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model"}
POINTER, USER_COMMENT = 0x8769, 0x9286
MAX_ENTRIES = 200


def read_exif(block: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and text; a text ``prompt:{…}`` or ``workflow:{…}`` under its own name."""
    tiff = block.removeprefix(b"Exif\0\0")
    orders: dict[bytes, ByteOrder] = {b"II*\0": "little", b"MM\0*": "big"}
    order = orders.get(tiff[:4])
    if order is None:
        return
    for tag, value in _entries(tiff, int.from_bytes(tiff[4:8], order), order):
        if tag in TEXTS:
            yield _named(TEXTS[tag], value.rstrip(b"\0").decode("utf-8", "replace"))
        elif tag == POINTER:
            inner = _entries(tiff, int.from_bytes(value[:4], order), order)
            for inner_tag, inner_value in inner:
                if inner_tag == USER_COMMENT:
                    yield "UserComment", _comment(inner_value, order)


def _entries(tiff: bytes, offset: int, order: ByteOrder) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of the entries that hold texts, comments or pointers."""
    count = int.from_bytes(tiff[offset : offset + 2], order)
    for index in range(min(count, MAX_ENTRIES)):
        start = offset + 2 + 12 * index
        entry = tiff[start : start + 12]
        if len(entry) < 12:
            return
        tag, kind, size = (
            int.from_bytes(entry[start:end], order) for start, end in ((0, 2), (2, 4), (4, 8))
        )
        if tag == POINTER:
            yield tag, entry[8:12]
        elif kind in (1, 2, 7):  # BYTE, ASCII, UNDEFINED: one byte each
            start = int.from_bytes(entry[8:12], order)
            yield tag, entry[8 : 8 + size] if size <= 4 else tiff[start : start + size]


def _named(name: str, text: str) -> tuple[str, str]:
    key, colon, rest = text.partition(":")
    if colon and key.lower() in ("prompt", "workflow"):
        return key.lower(), rest
    return name, text


def _comment(value: bytes, order: ByteOrder) -> str:
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return text.decode(_utf16(text, order), "replace")
    if code == b"ASCII\0\0\0" or not code.strip(b"\0"):
        return text.decode("utf-8", "replace").rstrip("\0")
    return value.decode("utf-8", "replace").rstrip("\0")


def _utf16(text: bytes, order: ByteOrder) -> str:
    """The byte order is that of the block by the book; tools differ, letters tell."""
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    sample = text[:2000]
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if high == low:
        return "utf-16-le" if order == "little" else "utf-16-be"
    return "utf-16-be" if high > low else "utf-16-le"
