"""From pixels to the bytes of one format, with the XMP packet and no other metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.exceptions import SourceUnusable
from edge.render import flatten
from edge.vips import pyvips
from imagepipe.credentials import write_xmp
from imagepipe.urlspec import FORMATS

#: The quality that transforms name is JPEG's; the others reach the same look at less.
DEFAULT_QUALITY = 80
_LESS = {"jpg": 0, "webp": 5, "avif": 25}


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the encoders try: AVIF 0 to 9, WebP 0 to 6."""

    avif: int = 0
    webp: int = 2


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

    Raises SourceUnusable for a size that the format cannot hold.
    """
    known = FORMATS[extension]
    if image.hasalpha() and not known.has_alpha:
        image = flatten(image, background)
    image = _without_metadata(image)
    try:
        return _save(image, extension, packet, quality or DEFAULT_QUALITY, effort)
    except pyvips.Error:
        raise SourceUnusable(
            422, "not-encodable", f"the picture cannot be stored as {extension} at this size"
        ) from None


def _save(
    image: pyvips.Image, extension: str, packet: bytes, quality: int, effort: Effort
) -> bytes:
    if extension == "png":
        # libvips' own PNG packet does not read back byte for byte.
        body = image.pngsave_buffer(compression=6, keep="none")
        return write_xmp(body, FORMATS[extension].mime, packet)
    image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    save = getattr(image, _SAVERS[extension])
    scaled = max(1, quality - _LESS[extension])
    return bytes(save(keep="xmp", Q=scaled, **_options(extension, effort)))


_SAVERS = {"jpg": "jpegsave_buffer", "webp": "webpsave_buffer", "avif": "heifsave_buffer"}


def _options(extension: str, effort: Effort) -> dict[str, Any]:
    if extension == "jpg":
        return {"optimize_coding": True, "interlace": True}
    if extension == "webp":
        return {"effort": effort.webp, "smart_subsample": False}
    return {"compression": "av1", "effort": effort.avif, "bitdepth": 8}


def _without_metadata(image: pyvips.Image) -> pyvips.Image:
    """Position, camera, comments and profile of the source end here."""
    image = image.copy()
    for name in image.get_fields():
        if name.endswith("-data") or name.startswith(("exif-", "iptc-", "png-comment-")):
            image.remove(name)
    return image
