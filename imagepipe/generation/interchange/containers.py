"""Texts that tools put into PNG, JPEG and WebP files. No pixels are decoded.

PNG: chunks tEXt, zTXt and iTXt, https://www.w3.org/TR/png-3/ (11.3.3). JPEG and WebP: Exif's
UserComment, and the plain texts that ComfyUI writes as ``name:value``. What is broken is
passed over; sizes are bounded before anything is unpacked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from imagepipe.generation.interchange.exif import read_exif
from imagepipe.generation.interchange.foreign import UnreadableRecipe

PNG = b"\x89PNG\r\n\x1a\n"
MAX_FILE = 64 * 1024 * 1024
MAX_TEXT = 4 * 1024 * 1024
"""Bytes of one text, unpacked."""
MAX_CHUNKS = 20_000
MAX_TEXTS = 64


def is_picture(data: bytes) -> bool:
    return data.startswith((PNG, b"\xff\xd8")) or (data[:4], data[8:12]) == (b"RIFF", b"WEBP")


def read_texts(data: bytes) -> dict[str, str]:
    """Return texts by their names, at most :data:`MAX_TEXTS`; the first of a name counts.

    Raises :class:`UnreadableRecipe` for a file that is too large.
    """
    if len(data) > MAX_FILE:
        raise UnreadableRecipe(f"The file is larger than {MAX_FILE // 1024 // 1024} MiB.")
    found: dict[str, str] = {}
    for name, text in _texts(data):
        found.setdefault(name[:200], text)
        if len(found) >= MAX_TEXTS:
            break
    return found


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    if data.startswith(PNG):
        for kind, body in _png_chunks(data):
            if (text := _png_text(kind, body)) is not None:
                yield text
            elif kind == b"eXIf":
                yield from read_exif(body)
    elif data.startswith(b"\xff\xd8"):
        for body in _jpeg_exif(data):
            yield from read_exif(body)
    else:
        for body in _webp_exif(data):
            yield from read_exif(body)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(PNG)
    for _chunk in range(MAX_CHUNKS):
        header = data[position : position + 8]
        if len(header) < 8:
            return
        size, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") and size <= MAX_TEXT:
            yield kind, data[position + 8 : position + 8 + size]
        position += 12 + size


def _png_text(kind: bytes, body: bytes) -> tuple[str, str] | None:
    keyword, end, rest = body.partition(b"\0")
    if not end or not 1 <= len(keyword) <= 79:
        return None
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return name, _decode(rest)
    if kind == b"zTXt":
        packed, method = rest[1:], rest[:1]
        text = _unpack(packed) if method == b"\0" else None
        return None if text is None else (name, _decode(text))
    if kind != b"iTXt":
        return None
    flag, method = rest[:1], rest[1:2]
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3:
        return None
    if flag != b"\1":
        return name, _decode(parts[2])
    text = _unpack(parts[2]) if method == b"\0" else None
    return None if text is None else (name, _decode(text))


def _unpack(packed: bytes) -> bytes | None:
    """At most :data:`MAX_TEXT` bytes; None for a larger text, which is no recipe."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(packed, MAX_TEXT)
    except zlib.error:
        return None
    return None if inflater.unconsumed_tail else text


def _decode(text: bytes) -> str:
    """tEXt is Latin-1 by the book; tools write UTF-8 all the same."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _jpeg_exif(data: bytes) -> Iterator[bytes]:
    position = 2
    for _segment in range(MAX_CHUNKS):
        header = data[position : position + 4]
        if len(header) < 4 or header[0] != 0xFF or header[1] in (0xDA, 0xD9):
            return
        size = int.from_bytes(header[2:], "big")
        if size < 2:
            return
        body = data[position + 4 : position + 2 + size]
        if header[1] == 0xE1 and body.startswith(b"Exif\0"):
            yield body
        position += 2 + size


def _webp_exif(data: bytes) -> Iterator[bytes]:
    position = 12
    for _chunk in range(MAX_CHUNKS):
        header = data[position : position + 8]
        if len(header) < 8:
            return
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"EXIF" and size <= MAX_TEXT:
            yield data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
