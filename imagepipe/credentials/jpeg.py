"""XMP in JPEG: an APP1 segment before the picture data (XMP specification part 3, 1.1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from imagepipe.credentials.exceptions import MalformedPicture, MalformedXmp

_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_SOI, _APP0, _APP1, _SOS, _EOI = 0xD8, 0xE0, 0xE1, 0xDA, 0xD9
_LARGEST_PACKET = 65_533 - len(_HEADER)


def write_xmp(data: bytes, packet: bytes) -> bytes:
    if len(packet) > _LARGEST_PACKET:
        raise MalformedXmp(f"a JPEG holds at most {_LARGEST_PACKET} bytes of XMP")
    body = _HEADER + packet
    segment = bytes((0xFF, _APP1)) + (len(body) + 2).to_bytes(2, "big") + body
    leading: list[bytes] = [data[:2]]
    others: list[bytes] = []
    end = 2
    for marker, start, end in _segments(data):
        raw = data[start:end]
        if marker == _APP1 and raw[4:].startswith(_HEADER):
            continue
        first = marker == _APP0 or (marker == _APP1 and raw[4:].startswith(b"Exif\0"))
        (leading if first and not others else others).append(raw)
    return b"".join([*leading, segment, *others, data[end:]])


def read_xmp(data: bytes) -> bytes | None:
    for marker, start, end in _segments(data):
        if marker == _APP1 and data[start + 4 : end].startswith(_HEADER):
            return data[start + 4 + len(_HEADER) : end]
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of every segment before the picture data."""
    if data[:2] != bytes((0xFF, _SOI)):
        raise MalformedPicture("the bytes are not a JPEG")
    position = 2
    while True:
        while data[position : position + 2] == b"\xff\xff":  # fill bytes
            position += 1
        header = data[position : position + 4]
        if len(header) < 4 or header[0] != 0xFF or header[1] in (0x00, _EOI):
            raise MalformedPicture("the JPEG ends before its picture data")
        if header[1] == _SOS:
            return
        end = position + 2 + int.from_bytes(header[2:4], "big")
        if end < position + 4 or end > len(data):
            raise MalformedPicture("a JPEG segment is cut off")
        yield header[1], position, end
        position = end
