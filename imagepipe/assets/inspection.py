"""Look at an uploaded file before anything trusts it.

Size, kind and dimensions are checked before pixels are decoded; then every pixel is
decoded once, so that a truncated file is found now and not by a visitor.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from imagepipe.assets.exceptions import UnusablePicture
from imagepipe.credentials.gif import count_frames

MIME_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
}
"""Pillow's names of the accepted formats. MPO is what many telephones write as JPEG."""

MAX_BYTES = 30 * 1024 * 1024
MAX_PIXELS = 100_000_000
MAX_FRAMES = 300
MAX_MOVING_PIXELS = 25_000_000
"""Of all frames of an animation together; an edge shows as many by default."""
ORIENTATION_TAG = 0x0112
_PLUGINS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF")
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<svg", b"<?php")


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known about a usable file. ``width`` and ``height`` are those of the stored
    pixels; with an ``orientation`` (Exif, 1–8) from 5 on, the picture is shown turned.
    ``phash`` is a 64-bit perceptual hash in hex, None without the package ImageHash; of an
    animation (``frames`` above 1) that of the first frame.
    """

    mime: str
    width: int
    height: int
    bytes: int
    sha256: str
    has_alpha: bool
    orientation: int
    phash: str | None
    frames: int = 1

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height as the picture is shown."""
        turned = self.orientation >= 5
        return (self.height, self.width) if turned else (self.width, self.height)


def inspect_picture(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> PictureFacts:
    """Return the facts of a picture file. Raises :class:`UnusablePicture`.

    Codes: ``empty``, ``too-large``, ``not-a-picture``, ``format``, ``too-many-pixels``,
    ``animated``, ``too-many-frames``, ``damaged``.
    """
    if not data:
        raise UnusablePicture("empty", _("The file is empty."))
    if len(data) > max_bytes:
        raise UnusablePicture(
            "too-large",
            _("The file has %(size)s MB; at most %(limit)s MB are possible.")
            % {"size": _megabytes(len(data)), "limit": _megabytes(max_bytes)},
        )
    _refuse_markup(data)
    image = _open(data, max_pixels)
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(image.width, image.height, max_pixels)
    frames = _frames(data, image)
    orientation = _decode(data, image, frames)
    return PictureFacts(
        mime=MIME_TYPES[str(image.format)],
        width=image.width,
        height=image.height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        has_alpha="A" in image.getbands() or "transparency" in image.info,
        orientation=orientation,
        phash=_phash(image),
        frames=frames,
    )


def _refuse_markup(data: bytes) -> None:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\0").lower()
    if start.startswith(_MARKUP):
        raise UnusablePicture(
            "not-a-picture",
            _("The file is a web page or a drawing in XML, not a photograph."),
        )


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """Read the header only."""
    formats = [name for name in _PLUGINS if name in _known_formats()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        raise UnusablePicture(
            "too-many-pixels",
            _("The picture has far too many pixels; at most %(limit)d million are possible.")
            % {"limit": round(max_pixels / 1e6)},
        ) from error
    except Image.UnidentifiedImageError as error:
        raise UnusablePicture(
            "format",
            _("The file is not a picture that can be used. Use JPEG, PNG, WebP or AVIF."),
        ) from error
    except Exception as error:  # hostile headers raise nearly anything from Pillow's plugins
        raise _damaged() from error


def _frames(data: bytes, image: Image.Image) -> int:
    """How many there are, within the limits; nothing is decoded for it."""
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return 1
    if image.format not in ("GIF", "WEBP"):
        raise UnusablePicture(
            "animated",
            _("Of animations only GIF and WebP can be used. Convert it, or upload a still."),
        )
    try:
        frames = _counted(data, image)
    except Exception as error:  # as below
        raise _damaged() from error
    pixels = frames * image.width * image.height
    if frames > MAX_FRAMES or pixels > MAX_MOVING_PIXELS:
        raise UnusablePicture(
            "too-many-frames",
            _(
                "The animation is too long or too large: at most %(frames)d frames, and "
                "%(pixels)d million pixels in all of them together, are possible."
            )
            % {"frames": MAX_FRAMES, "pixels": MAX_MOVING_PIXELS // 1_000_000},
        )
    return frames


def _counted(data: bytes, image: Image.Image) -> int:
    """Pillow would take long to count those of a hostile GIF."""
    if image.format == "GIF":
        return count_frames(data, MAX_FRAMES + 1)
    return int(getattr(image, "n_frames", 1))


def _decode(data: bytes, image: Image.Image, frames: int) -> int:
    """Check the structure, decode all pixels of ``image``, return its orientation."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=[str(image.format)]) as twin:
                twin.verify()
            for frame in range(1, frames):
                image.seek(frame)
                image.load()
            if frames > 1:
                image.seek(0)
            image.load()
            orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception as error:  # hostile bodies raise nearly anything from Pillow's plugins
        raise _damaged() from error
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _known_formats() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _phash(image: Image.Image) -> str | None:
    try:
        import imagehash
    except ImportError:
        return None
    upright = ImageOps.exif_transpose(image) or image
    return str(imagehash.phash(upright.convert("RGB")))


def _too_many_pixels(width: int, height: int, limit: int) -> UnusablePicture:
    return UnusablePicture(
        "too-many-pixels",
        _(
            "The picture has %(width)d×%(height)d pixels; "
            "at most %(limit)d million pixels are possible."
        )
        % {"width": width, "height": height, "limit": round(limit / 1e6)},
    )


def _damaged() -> UnusablePicture:
    return UnusablePicture(
        "damaged",
        _("The picture is damaged or incomplete. Export it again and upload that file."),
    )


def _megabytes(count: int) -> str:
    return f"{count / 1024 / 1024:.1f}".removesuffix(".0")
