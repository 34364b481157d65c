"""XMP in WebP: an "XMP " chunk at the end, announced by a flag in VP8X.

https://developers.google.com/speed/webp/docs/riff_container
"""

from __future__ import annotations

from imagepipe.credentials.exceptions import MalformedPicture

_HAS_XMP, _HAS_ALPHA = 0x04, 0x10


def write_xmp(data: bytes, packet: bytes) -> bytes:
    chunks = [chunk for chunk in _chunks(data) if chunk[0] != b"XMP "]
    kind, body = chunks[0]
    if kind == b"VP8X":
        chunks[0] = (kind, bytes((body[0] | _HAS_XMP,)) + body[1:])
    else:
        chunks.insert(0, (b"VP8X", _extended_header(kind, body)))
    return _join([*chunks, (b"XMP ", packet)])


def read_xmp(data: bytes) -> bytes | None:
    return next((body for kind, body in _chunks(data) if kind == b"XMP "), None)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise MalformedPicture("the bytes are not a WebP")
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise MalformedPicture("the WebP is cut off")
    chunks, position = [], 12
    while position < end:
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        body = data[position + 8 : position + 8 + size]
        if position + 8 + size > end:
            raise MalformedPicture("the WebP is cut off")
        chunks.append((data[position : position + 4], body))
        position += 8 + size + size % 2
    lengths = {b"VP8X": 10, b"VP8 ": 10, b"VP8L": 5}
    if not chunks or len(chunks[0][1]) < lengths.get(chunks[0][0], 1 << 32):
        raise MalformedPicture("the WebP does not begin with picture data")
    return chunks


def _join(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [b"WEBP"]
    for kind, body in chunks:
        parts += [kind, len(body).to_bytes(4, "little"), body, b"\0" * (len(body) % 2)]
    content = b"".join(parts)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def _extended_header(kind: bytes, body: bytes) -> bytes:
    flags = _HAS_XMP
    if kind == b"VP8 ":
        width = int.from_bytes(body[6:8], "little") & 0x3FFF
        height = int.from_bytes(body[8:10], "little") & 0x3FFF
    else:  # VP8L: a signature byte, then 14 bits of each and the alpha bit
        packed = int.from_bytes(body[1:5], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        flags |= _HAS_ALPHA if packed >> 28 & 1 else 0
    if not width or not height:
        raise MalformedPicture("the WebP has no size")
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes((flags, 0, 0, 0)) + sizes
