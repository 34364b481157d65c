"""What stands in a picture's place while it loads: its dominant colour and its thumbhash.

Thumbhash is some 25 bytes that a script draws as a blurred picture:
https://evanw.github.io/thumbhash/
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import thash
from PIL import Image, ImageCms, ImageOps

_SIDE: Final = 100  # thumbhash takes no more
_COLOURS: Final = 8
_HEX = re.compile(r"#[0-9a-f]{6}")
_HASH = re.compile(r"[A-Za-z0-9+/]{7,40}={0,2}")


def find_placeholder(content: bytes) -> dict[str, str]:
    """``thumbhash`` in Base64 and ``colour`` as ``#rrggbb``; raises OSError for no picture.

    ``colour`` is empty where the picture is transparent: it would shine through.
    """
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (2 * _SIDE, 2 * _SIDE))
        small = ImageOps.exif_transpose(image)
        if small.mode not in {"RGB", "CMYK", "L"}:
            small = small.convert("RGBA")
        small.thumbnail((_SIDE, _SIDE))
    small = _in_srgb(small).convert("RGBA")
    digest = thash.rgba_to_thumb_hash(small.width, small.height, list(small.tobytes()))
    opaque = small.getchannel("A").getextrema() == (255, 255)
    return {
        "thumbhash": base64.b64encode(bytes(digest)).decode(),
        "colour": _dominant(small.convert("RGB")) if opaque else "",
    }


def read_placeholder(value: Any) -> dict[str, str] | None:
    """The same from JSON; None for what was not found or is damaged."""
    if not isinstance(value, Mapping):
        return None
    thumbhash, colour = str(value.get("thumbhash", "")), str(value.get("colour", ""))
    if not _HASH.fullmatch(thumbhash) or not (colour == "" or _HEX.fullmatch(colour)):
        return None
    return {"thumbhash": thumbhash, "colour": colour}


@lru_cache(maxsize=5000)
def colour_words(colour: str) -> str:
    """``#33aacc`` as ``r3 ga bc``, which the style sheet understands; "" for no colour.

    Each channel has 16 steps. ``dark`` is added where white text is easier to read.
    """
    if not _HEX.fullmatch(colour):
        return ""
    channels = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    words = [
        f"{name}{round(value / 17):x}" for name, value in zip("rgb", channels, strict=True)
    ]
    return " ".join([*words, "dark"] if _luminance(channels) < 0.179 else words)


def _dominant(picture: Image.Image) -> str:
    """The mean of the largest of eight groups of like colours."""
    groups = picture.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    largest = max(groups.getcolors() or [(0, 0)])[1]
    mask = groups.point([255 if index == largest else 0 for index in range(256)], "L")
    total, counted = [0, 0, 0], mask.histogram()[255]
    for band, channel in enumerate(picture.split()):
        levels = channel.histogram(mask)
        total[band] = round(sum(level * n for level, n in enumerate(levels)) / counted)
    return "#{:02x}{:02x}{:02x}".format(*total)


def _luminance(channels: list[int]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (value / 255 for value in channels)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _in_srgb(picture: Image.Image) -> Image.Image:
    """An unreadable profile is ignored: it cannot say which colours are meant."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode == "RGBA":
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, target, outputMode="RGB") or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
