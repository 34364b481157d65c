"""XMP in GIF: an application extension before the end of the file.

The packet is not cut into sub-blocks; 258 magic bytes behind it lead any reader to the end.
XMP Specification Part 3, section 1.1.2; https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from imagepipe.credentials.exceptions import MalformedPicture

_HEAD: Final = b"\x21\xff\x0bXMP DataXMP"
_MAGIC: Final = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B


def write_xmp(data: bytes, packet: bytes) -> bytes:
    head = data[6 : _first_block(data)]
    kept = [data[s:e] for s, e in _blocks(data) if not data.startswith(_HEAD, s)]
    return b"".join([b"GIF89a", head, *kept, _HEAD, packet, _MAGIC, b"\x3b"])


def read_xmp(data: bytes) -> bytes | None:
    for start, end in _blocks(data):
        if data.startswith(_HEAD, start):
            if not data.endswith(_MAGIC, start + len(_HEAD), end):
                raise MalformedPicture("the XMP of the GIF has no end")
            return data[start + len(_HEAD) : end - len(_MAGIC)]
    return None


def count_frames(data: bytes, most: int) -> int:
    """How many frames there are; no more than `most` are counted. Raises MalformedPicture."""
    images = (start for start, _end in _blocks(data) if data[start] == _IMAGE)
    return sum(1 for _start in islice(images, most))


def _first_block(data: bytes) -> int:
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        raise MalformedPicture("the bytes are not a GIF")
    return 13 + _table(data[10])


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each block starts and ends, without the trailer."""
    position = _first_block(data)
    while position < len(data) and data[position] != _END:
        start = position
        if data[position] == _EXTENSION:
            position += 2
        elif data[position] == _IMAGE and position + 9 < len(data):
            position += 11 + _table(data[position + 9])
        else:
            raise MalformedPicture("the GIF has an unknown block")
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
        yield start, position
    if position >= len(data):
        raise MalformedPicture("the GIF is cut off")


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
