"""Put an XMP packet into a finished picture, or take it out, without touching its pixels.

JPEG: an APP1 segment. PNG: an iTXt chunk. WebP: an "XMP " chunk and the flag in VP8X.
GIF: an application extension.
AVIF keeps XMP as an item of its meta box, which other offsets depend on: there the packet
is given while encoding (`xmp=` in Pillow, the "xmp-data" field in libvips).

Write XMP before signing: a later change makes the content credential invalid.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from imagepipe.credentials import gif, jpeg, png, webp
from imagepipe.credentials.exceptions import (
    MalformedPicture,
    MalformedXmp,
    UnsupportedFormat,
)
from imagepipe.credentials.xmp import LARGEST_PACKET

_WRITERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "image/jpeg": jpeg.write_xmp,
    "image/gif": gif.write_xmp,
    "image/png": png.write_xmp,
    "image/webp": webp.write_xmp,
}


def write_xmp(data: bytes, mime: str, packet: bytes) -> bytes:
    """The picture with this packet instead of any it had. Coded pixels stay byte-identical.

    Raises UnsupportedFormat (AVIF and others), MalformedPicture, or MalformedXmp for a
    packet that the format cannot hold (JPEG: 65,504 bytes).
    """
    if mime == "image/avif":
        raise UnsupportedFormat(
            "XMP cannot be added to a finished AVIF: give the packet to the encoder"
        )
    if mime not in _WRITERS:
        raise UnsupportedFormat(f"XMP is not written into {mime[:60]}")
    if len(packet) > LARGEST_PACKET:
        raise MalformedXmp(f"the XMP packet is larger than {LARGEST_PACKET} bytes")
    return _WRITERS[mime](data, packet)


def read_xmp(data: bytes, mime: str) -> bytes | None:
    """The packet as it stands in the picture, or None. It is not parsed."""
    readers = {
        "image/jpeg": jpeg.read_xmp,
        "image/gif": gif.read_xmp,
        "image/png": png.read_xmp,
        "image/webp": webp.read_xmp,
        "image/avif": _read_avif,
    }
    if mime not in readers:
        raise UnsupportedFormat(f"XMP is not read from {mime[:60]}")
    return readers[mime](data)


def _read_avif(data: bytes) -> bytes | None:
    from PIL import Image, UnidentifiedImageError, features

    if "avif" not in features.modules or not features.check_module("avif"):
        raise UnsupportedFormat("this Pillow cannot read AVIF: install Pillow 11.3 or newer")
    try:
        with Image.open(io.BytesIO(data), formats=("AVIF",)) as image:
            packet = image.info.get("xmp")
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
    ):
        raise MalformedPicture("the bytes are not a readable AVIF") from None
    return packet if isinstance(packet, bytes) and packet else None
