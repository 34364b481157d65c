"""Small pictures of masters for listings, made once and kept in the private storage."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from PIL import Image, ImageOps

from imagepipe.assets import masters
from imagepipe.conf import get_settings

SIDE = 480
"""Pixels of the longer side; a cell of a listing at twice the density."""
QUALITY = 82
BACKGROUND = (255, 255, 255)
_one_at_a_time = threading.Lock()
"""A listing asks for two dozen at once, and a master may unfold to hundreds of megabytes."""


def thumbnail_name(sha256: str) -> str:
    return f"thumbnails/{sha256[:2]}/{sha256}.jpg"


def read(sha256: str, original: Callable[[str], bytes] | None = None) -> bytes:
    """The JPEG for a picture, made now if nobody asked before.

    ``original`` finds the bytes of what is no master yet. Raises FileNotFoundError and what
    ``original`` raises.
    """
    storage, name = get_settings().private_storage, thumbnail_name(sha256)
    if content := _kept(storage, name):
        return content
    with _one_at_a_time:
        if content := _kept(storage, name):  # made while this one waited
            return content
        content = reduce((original or masters.read)(sha256))
        storage.delete(name)
        storage.save(name, ContentFile(content))
        return content


def _kept(storage: Storage, name: str) -> bytes:
    try:
        with storage.open(name) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return b""


def reduce(content: bytes) -> bytes:
    """A JPEG of at most ``SIDE`` pixels, upright, without any of the master's metadata."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (SIDE, SIDE))
        if image.mode in ("L", "RGB", "RGBA"):
            image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)  # before any copy is made
        upright = ImageOps.exif_transpose(image) or image
        small = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    if small.mode == "RGBA":
        opaque = Image.new("RGB", small.size, BACKGROUND)
        opaque.paste(small, mask=small.getchannel("A"))
        small = opaque
    output = io.BytesIO()
    small.save(output, "JPEG", quality=QUALITY, optimize=True)
    return output.getvalue()
