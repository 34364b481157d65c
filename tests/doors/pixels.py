"""Is this picture that picture? Told by looking, not by bytes."""

from __future__ import annotations

import colorsys
import io

from PIL import Image, UnidentifiedImageError

THUMBNAIL = (8, 8)
ALIKE = 20.0
"""Mean difference of 8-bit channels below which two thumbnails are the same picture."""
COLOURS = 14


def secret(number: int, width: int = 360, height: int = 270) -> bytes:
    """A PNG in a colour that no other picture, page or placeholder of these tests has."""
    hue = colorsys.hsv_to_rgb(number / COLOURS, 1, 1)
    file = io.BytesIO()
    colour = tuple(round(255 * channel) for channel in hue)
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def difference(body: bytes, picture: bytes) -> float:
    """0 for the same picture in whatever size and format, 255 for black and white.

    Infinite for what is no picture.
    """
    try:
        seen = _thumbnail(body)
    except (UnidentifiedImageError, OSError):
        return float("inf")
    pairs = list(zip(seen, _thumbnail(picture), strict=True))
    return sum(abs(one - other) for one, other in pairs) / len(pairs)


def shows(body: bytes, picture: bytes) -> bool:
    return difference(body, picture) < ALIKE


def _thumbnail(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").resize(THUMBNAIL, Image.Resampling.BOX).tobytes()
