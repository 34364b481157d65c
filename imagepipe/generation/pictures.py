"""Pictures that go into a generation: decoded with bounds, upright, in sRGB.

They come from uploads and from browsers, so nothing about them is trusted.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageCms, ImageOps

from imagepipe.generation.exceptions import InvalidRequest

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "MPO")
MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 50_000_000


def read_picture(data: bytes, name: str = "The picture") -> Image.Image:
    """Return the picture in RGB, upright; transparent parts become white.

    Colours of another profile are converted to sRGB. Raises :class:`InvalidRequest`.
    """
    image = _decode(data, name)
    if _has_alpha(image):
        image = _flat(image, (255, 255, 255))
    profile = image.info.get("icc_profile")
    return _in_srgb(image, profile) if profile else image.convert("RGB")


def read_mask(data: bytes, size: tuple[int, int], name: str = "The mask") -> Image.Image:
    """Return the mask in greyscale at ``size``: white is repainted, black is kept.

    Transparent parts count as black. A mask of the same proportions is scaled; one of others
    is refused with :class:`InvalidRequest`.
    """
    image = _decode(data, name)
    grey = (_flat(image, (0, 0, 0)) if _has_alpha(image) else image).convert("L")
    if grey.size == size:
        return grey
    if abs(grey.width * size[1] - grey.height * size[0]) > max(*grey.size, *size):
        raise InvalidRequest(
            f"{name} is {grey.width}×{grey.height}, but {size[0]}×{size[1]} is needed."
        )
    return grey.resize(size, Image.Resampling.BILINEAR)


def to_png(image: Image.Image) -> bytes:
    """Return the picture as PNG."""
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def _decode(data: bytes, name: str) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"{name} has more than {MAX_BYTES // 2**20} MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise InvalidRequest(
                f"{name} is too large: {image.width}×{image.height}; "
                f"at most {MAX_PIXELS // 10**6} million pixels are possible."
            )
        image.load()
        return ImageOps.exif_transpose(image) or image
    except InvalidRequest:
        raise
    except Exception as error:  # decoders raise anything for damaged files
        raise InvalidRequest(
            f"{name} cannot be read. Use a PNG, JPEG, WebP or AVIF file."
        ) from error


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _flat(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    layer = image.convert("RGBA")
    flat = Image.new("RGB", image.size, background)
    flat.paste(layer, mask=layer.getchannel("A"))
    flat.info = {key: image.info[key] for key in ("icc_profile",) if key in image.info}
    return flat


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    source = image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(found) and source.mode == "RGB":
            return source
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(source, found, target, outputMode="RGB") or source
    except (ImageCms.PyCMSError, OSError, ValueError):
        return source.convert("RGB")
