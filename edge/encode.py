"""Encoded pictures, with their XMP packet and nothing else beside the pixels."""

from __future__ import annotations

import pyvips

from imagepipe.credentials import write_xmp
from imagepipe.urlspec import MIME_TYPES

#: Default quality by extension; chosen to look alike, not to be equal numbers.
QUALITY = {"jpg": 80, "webp": 78, "avif": 55}


def encode(image: pyvips.Image, extension: str, quality: int | None, xmp: bytes) -> bytes:
    """Encode as "jpg", "webp", "avif" or "png". `quality` is 1 to 100, for png unused."""
    number = quality or QUALITY.get(extension, 0)
    if extension == "avif":
        # XMP cannot be added to a finished AVIF.
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
        data = image.heifsave_buffer(Q=number, compression="av1", effort=0, keep="xmp")
        return bytes(data)
    if extension == "webp":
        data = image.webpsave_buffer(Q=number, effort=2, keep="none")
    elif extension == "jpg":
        data = image.jpegsave_buffer(Q=number, optimize_coding=True, keep="none")
    else:
        data = image.pngsave_buffer(compression=6, keep="none")
    return write_xmp(bytes(data), MIME_TYPES[extension], xmp)
