"""XMP in PNG: an iTXt chunk with the keyword XML:com.adobe.xmp (XMP specification part 3)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from imagepipe.credentials.exceptions import MalformedPicture, MalformedXmp
from imagepipe.credentials.xmp import LARGEST_PACKET

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"
_END_OF_HEADER = len(_SIGNATURE) + 25  # IHDR is always 13 bytes long


def write_xmp(data: bytes, packet: bytes) -> bytes:
    body = b"iTXt" + _KEYWORD + b"\0\0\0\0" + packet  # not compressed, no language
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    kept = [
        data[start:end]
        for kind, start, end in _chunks(data)
        if not (kind == b"iTXt" and data[start + 8 : end].startswith(_KEYWORD))
    ]
    return b"".join([_SIGNATURE, kept[0], chunk, *kept[1:]])


def read_xmp(data: bytes) -> bytes | None:
    for kind, start, end in _chunks(data):
        body = data[start + 8 : end - 4]
        if kind == b"iTXt" and body.startswith(_KEYWORD):
            return _text(body[len(_KEYWORD) :])
    return None


def _text(rest: bytes) -> bytes:
    """The text after the keyword: compression flag and method, language, translated keyword."""
    compressed, method = rest[:1] == b"\1", rest[1:2]
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3 or method != b"\0":
        raise MalformedPicture("the PNG's XMP chunk is not readable")
    if not compressed:
        return parts[2]
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(parts[2], LARGEST_PACKET)
    except zlib.error:
        raise MalformedPicture("the PNG's XMP chunk is not readable") from None
    if inflater.unconsumed_tail:
        raise MalformedXmp(f"the XMP packet is larger than {LARGEST_PACKET} bytes")
    return text


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of every chunk up to IEND."""
    if not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR":
        raise MalformedPicture("the bytes are not a PNG")
    position = len(_SIGNATURE)
    while True:
        header = data[position : position + 8]
        end = position + 12 + int.from_bytes(header[:4], "big")
        if len(header) < 8 or end > len(data):
            raise MalformedPicture("the PNG is cut off")
        if position == len(_SIGNATURE) and end != _END_OF_HEADER:
            raise MalformedPicture("the PNG's header has a wrong length")
        yield header[4:], position, end
        if header[4:] == b"IEND":
            return
        position = end
