"""Pictures that an engine elsewhere sent: nothing about them is trusted."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from typing import Any

from PIL import Image

from imagepipe.generation.exceptions import InvalidPicture

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PREVIEW = 4 * 1024 * 1024
PREVIEW_SIDE, PREVIEW_QUALITY = 256, 70


def decode_base64(value: Any, most: int) -> bytes:
    """Return the bytes of base64 text, with or without a ``data:`` prefix."""
    if not isinstance(value, str) or len(value) > most * 4 // 3 + 200:
        raise InvalidPicture("The engine sent no picture.")
    if value.startswith("data:"):
        value = value.partition(",")[2]
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidPicture("The engine sent a damaged picture.") from None


def read_answer(data: bytes, size: tuple[int, int]) -> Image.Image:
    """Return the picture in RGB, without what was embedded. Raises ``InvalidPicture``.

    Its size is compared before it is unpacked.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception:  # noqa: BLE001 - decoders raise anything for damaged files
        raise InvalidPicture("The engine sent something that is not a picture.") from None
    if image.size != size:
        raise InvalidPicture(
            f"The model answered with {image.width}×{image.height} instead of "
            f"{size[0]}×{size[1]}."
        )
    try:
        image.load()
        return image.convert("RGB")
    except Exception:  # noqa: BLE001 - see above
        raise InvalidPicture("The engine sent a damaged picture.") from None


def read_preview(data: bytes) -> bytes | None:
    """Return a small JPEG of what an engine shows on the way; None when that is unusable."""
    if len(data) > MAX_PREVIEW:
        return None
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > 4096 * 4096:
            return None
        image.draft("RGB", (PREVIEW_SIDE, PREVIEW_SIDE))
        small = image.convert("RGB")
        small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BOX)
        output = io.BytesIO()
        small.save(output, "JPEG", quality=PREVIEW_QUALITY)
        return output.getvalue()
    except Exception:  # noqa: BLE001 - a preview is not worth a failure
        return None
