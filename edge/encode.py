"""From pixels to the bytes of one format, with the XMP packet and no other metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from edge.exceptions import SourceUnusable
from edge.render import flatten
from edge.vips import pyvips
from imagepipe.credentials import write_xmp
from imagepipe.urlspec import FORMATS

#: The quality that transforms name is JPEG's; the others reach the same look at less.
DEFAULT_QUALITY: Final = 80
_LESS: Final = {"jpg": 0, "webp": 5, "avif": 25}


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the encoders try: AVIF 0 to 9, WebP 0 to 6, JPEG plain or with trellis."""

    avif: int = 0
    webp: int = 2
    trellis: bool = False

    @classmethod
    def fast(cls) -> Effort:
        """For an answer that somebody waits for."""
        return cls()

    @classmethod
    def settled(cls) -> Effort:
        """For bytes that are kept; made in the background."""
        return cls(avif=3, webp=4, trellis=True)


def encode(
    image: pyvips.Image,
    extension: str,
    *,
    packet: bytes,
    quality: int | None = None,
    background: str | None = None,
    effort: Effort = Effort(),
) -> bytes:
    """Encode sRGB pixels. Transparency is flattened where the format has none.

    `quality` is on JPEG's scale. Raises SourceUnusable for a size that the format cannot hold.
    """
    known = FORMATS[extension]
    if image.hasalpha() and not known.has_alpha:
        image = flatten(image, background)
    return save(image, extension, native_quality(quality, extension), effort, packet)


def native_quality(quality: int | None, extension: str) -> int:
    """A quality on JPEG's scale as the format's own; the default where there is none."""
    return max(1, (quality or DEFAULT_QUALITY) - _LESS.get(extension, 0))


def save(
    image: pyvips.Image, extension: str, quality: int, effort: Effort, packet: bytes = b""
) -> bytes:
    """Encode pixels with the format's own quality. Raises SourceUnusable."""
    image = _without_metadata(image)
    try:
        if extension in _PACKET_AFTER:
            body = bytes(_PACKET_AFTER[extension](image))
            return write_xmp(body, FORMATS[extension].mime, packet) if packet else body
        if packet:
            image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
        write = getattr(image, _SAVERS[extension])
        return bytes(write(keep=_KEEP, Q=quality, **_options(extension, effort)))
    except pyvips.Error:
        raise SourceUnusable(
            422, "not-encodable", f"the picture cannot be stored as {extension} at this size"
        ) from None


#: XMP and a profile, if the pixels are not sRGB; there is nothing else by then.
_KEEP: Final = 2 | 8  # libvips: XMP, ICC
_PROFILE: Final = "icc-profile-data"

#: libvips' own PNG packet does not read back byte for byte, and into GIF it writes none.
_PACKET_AFTER: Final[dict[str, Callable[[pyvips.Image], bytes]]] = {
    "png": lambda image: image.pngsave_buffer(compression=6, keep=_KEEP),
    "gif": lambda image: image.gifsave_buffer(effort=5, keep=_KEEP),
}
_SAVERS: Final = {
    "jpg": "jpegsave_buffer",
    "webp": "webpsave_buffer",
    "avif": "heifsave_buffer",
}


def _options(extension: str, effort: Effort) -> dict[str, Any]:
    if extension == "jpg":
        if not effort.trellis:
            return {}
        return {
            "optimize_coding": True,
            "interlace": True,
            "optimize_scans": True,
            "trellis_quant": True,
            "overshoot_deringing": True,
            "quant_table": 3,
        }
    if extension == "webp":
        return {"effort": effort.webp, "smart_subsample": False}
    return {"compression": "av1", "effort": effort.avif, "bitdepth": 8}


def _without_metadata(image: pyvips.Image) -> pyvips.Image:
    """Position, camera, comments and profile of the source end here; Display-P3 stays."""
    image = image.copy()
    for name in image.get_fields():
        if name == _PROFILE and image.get(_PROFILE) == _display_p3():
            continue
        if name.endswith("-data") or name.startswith(("exif-", "iptc-", "png-comment-")):
            image.remove(name)
    return image


@cache
def _display_p3() -> bytes:
    """The profile as libvips writes it."""
    pixel = pyvips.Image.black(1, 1, bands=3).cast("uchar").copy(interpretation="srgb")
    wide = pixel.icc_transform("p3", input_profile="srgb")
    return bytes(wide.get(_PROFILE))
