"""Encode a master: PNG in sRGB, tagged with its profile, the same bytes every time.

Masters are stored under the hash of their bytes, so the encoder must not write dates.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from functools import cache

from PIL import Image, ImageCms

_CREATED = slice(24, 36)
_CREATED_VALUE = bytes.fromhex("07d000010001000000000000")  # 2000-01-01 00:00:00
_PROFILE_ID = slice(84, 100)


@dataclass(frozen=True, slots=True)
class Master:
    """Encoded bytes with their identity."""

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int
    sha256: str


@cache
def srgb_profile() -> bytes:
    """Return an sRGB ICC profile that is the same in every process.

    The date (bytes 24–35) and the profile ID (84–99, zero: not computed) are fixed;
    ICC.1:2022, 7.2. https://www.color.org/specification/ICC.1-2022-05.pdf
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_CREATED] = _CREATED_VALUE
    profile[_PROFILE_ID] = bytes(16)
    return bytes(profile)


def encode_master(image: Image.Image) -> Master:
    """Return the PNG of a picture. Other profiles are converted to sRGB first.

    All metadata of the source is left behind; embedding new metadata is a later step.
    """
    picture = to_srgb(image)
    output = io.BytesIO()
    picture.save(output, "PNG", icc_profile=srgb_profile(), compress_level=6)
    data = output.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    return Master(data, "image/png", picture.width, picture.height, digest)


def to_srgb(image: Image.Image) -> Image.Image:
    """Return an RGB or RGBA picture in sRGB. Untagged pictures are taken to be sRGB.

    An unreadable profile is ignored: it cannot say which colours are meant.
    """
    transparent = "A" in image.getbands() or "transparency" in image.info
    profile = image.info.get("icc_profile")
    if profile and profile != srgb_profile() and image.mode in {"RGB", "RGBA", "CMYK", "L"}:
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        opaque = image.convert("RGB") if alpha else image
        try:
            converted = ImageCms.profileToProfile(
                opaque,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            if alpha:
                converted.putalpha(alpha)
            return _bare(converted)
    return _bare(image.convert("RGBA" if transparent else "RGB"))


def _bare(image: Image.Image) -> Image.Image:
    copy = image.copy()
    copy.info = {}
    return copy
