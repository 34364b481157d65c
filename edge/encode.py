"""From pixels to the bytes of one format, with the XMP packet and what else may stay."""

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
    keeps_all: bool = False,
) -> bytes:
    """Encode sRGB pixels. Transparency is flattened where the format has none.

    `quality` is on JPEG's scale; `keeps_all` keeps EXIF and IPTC of the source. Raises
    SourceUnusable for a size that the format cannot hold.
    """
    known = FORMATS[extension]
    if image.hasalpha() and not known.has_alpha:
        image = flatten(image, background)
    native = native_quality(quality, extension)
    return save(image, extension, native, effort, packet, keeps_all)


def native_quality(quality: int | None, extension: str) -> int:
    """A quality on JPEG's scale as the format's own; the default where there is none."""
    return max(1, (quality or DEFAULT_QUALITY) - _LESS.get(extension, 0))


def save(
    image: pyvips.Image,
    extension: str,
    quality: int,
    effort: Effort,
    packet: bytes = b"",
    keeps_all: bool = False,
) -> bytes:
    """Encode pixels with the format's own quality. Raises SourceUnusable."""
    keeps_all = keeps_all and 0 < _written_by_camera(image) <= MOST_OF_CAMERA
    image = _without_metadata(image, keeps_all)
    keep = _KEEP | _CAMERA if keeps_all else _KEEP
    try:
        if extension in _PACKET_AFTER:
            body = bytes(_PACKET_AFTER[extension](image, keep))
            return write_xmp(body, FORMATS[extension].mime, packet) if packet else body
        if packet:
            image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
        write = getattr(image, _SAVERS[extension])
        return bytes(write(keep=keep, Q=quality, **_options(extension, effort)))
    except pyvips.Error:
        raise SourceUnusable(
            422, "not-encodable", f"the picture cannot be stored as {extension} at this size"
        ) from None


#: XMP and a profile, if the pixels are not sRGB; there is nothing else by then.
_KEEP: Final = 2 | 8  # libvips: XMP, ICC
_CAMERA: Final = 1 | 4  # EXIF, IPTC
_PROFILE: Final = "icc-profile-data"

#: libvips' own PNG packet does not read back byte for byte, and into GIF it writes none.
_PACKET_AFTER: Final[dict[str, Callable[[pyvips.Image, int], bytes]]] = {
    "png": lambda image, keep: image.pngsave_buffer(compression=6, keep=keep),
    "gif": lambda image, keep: image.gifsave_buffer(effort=5, keep=keep),
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


def _written_by_camera(image: pyvips.Image) -> int:
    """Bytes of EXIF and IPTC."""
    fields = image.get_fields()
    return sum(len(image.get(name)) for name in ("exif-data", "iptc-data") if name in fields)


def _without_metadata(image: pyvips.Image, keeps_all: bool) -> pyvips.Image:
    """Position, camera, comments and profile of the source end here; Display-P3 stays.

    What the camera wrote may stay, but neither its small picture, which nothing was cut off,
    nor its colour space.
    """
    image = image.copy()
    for name in image.get_fields():
        if name == _PROFILE and image.get(_PROFILE) == _display_p3():
            continue
        if keeps_all and name.startswith(_OF_CAMERA) and name not in _NOT_OF_CAMERA:
            continue
        if name.endswith("-data") or name.startswith(("exif-", "iptc-", "png-comment-")):
            image.remove(name)
    return image


#: Bytes of EXIF and IPTC above which they are left out: JPEG holds no more either.
MOST_OF_CAMERA: Final = 60_000
_OF_CAMERA: Final = ("exif-data", "exif-ifd0-", "exif-ifd2-", "exif-ifd3-", "iptc-data")
_NOT_OF_CAMERA: Final = frozenset({"exif-ifd2-ColorSpace", "exif-ifd0-Orientation"})


@cache
def _display_p3() -> bytes:
    """The profile as libvips writes it."""
    pixel = pyvips.Image.black(1, 1, bands=3).cast("uchar").copy(interpretation="srgb")
    wide = pixel.icc_transform("p3", input_profile="srgb")
    return bytes(wide.get(_PROFILE))
