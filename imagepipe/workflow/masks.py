"""Masks that an editor draws over a picture: white is made anew, black is kept.

They come from browsers: bounded before anything is decoded, and kept as plain greyscale.
"""

from __future__ import annotations

import binascii
import io
import warnings
from base64 import b64decode
from collections.abc import Sequence

from django.utils.translation import gettext as _
from PIL import Image, ImageChops, ImageDraw

from imagepipe.workflow import blobs
from imagepipe.workflow.exceptions import InvalidBrief

MAX_BYTES = 1536 * 1024
"""As base64 it has to fit into Django's DATA_UPLOAD_MAX_MEMORY_SIZE of 2.5 MB."""
MAX_SIDE = 4096
"""A mask may be smaller than its picture; it is scaled to it."""
DRAWN_SIDE = 2048
"""Of masks that are made here."""
DATA_URL = "data:image/png;base64,"

Box = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture, 0 to 1."""


def from_data_url(text: str) -> bytes:
    """Return the PNG of a ``data:`` address. Raises :class:`InvalidBrief`."""
    if not text.startswith(DATA_URL):
        raise _unusable()
    if len(text) > len(DATA_URL) + MAX_BYTES * 4 // 3 + 4:
        raise InvalidBrief(
            _("The mask has more than %(limit)d kB.") % {"limit": MAX_BYTES // 1024}, "mask"
        )
    try:
        return b64decode(text[len(DATA_URL) :], validate=True)
    except (binascii.Error, ValueError):
        raise _unusable() from None


def make(
    size: tuple[int, int], *, drawn: bytes | None = None, boxes: Sequence[Box] = ()
) -> str:
    """Keep the mask of a picture of that size; return its SHA-256.

    It is white where ``drawn`` (a PNG, transparent is black) or a box says so. Raises
    :class:`InvalidBrief` for a mask that is damaged, of another shape, or empty.
    """
    factor = min(1.0, DRAWN_SIDE / max(size))
    own = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    mask = _read(drawn, size) if drawn else Image.new("L", own, 0)
    for box in boxes:
        mask = ImageChops.lighter(mask, _rectangle(mask.size, box))
    if not mask.getbbox():
        raise InvalidBrief(
            _("Nothing is marked. Paint over what shall be made anew, or give a rectangle."),
            "mask",
        )
    output = io.BytesIO()
    mask.save(output, "PNG")
    return blobs.store(output.getvalue())


def _read(content: bytes, size: tuple[int, int]) -> Image.Image:
    if len(content) > MAX_BYTES:
        raise InvalidBrief(
            _("The mask has more than %(limit)d kB.") % {"limit": MAX_BYTES // 1024}, "mask"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=("PNG",))
            if max(image.size) > MAX_SIDE:
                raise InvalidBrief(
                    _("A mask has at most %(limit)d pixels a side.") % {"limit": MAX_SIDE},
                    "mask",
                )
            layer = image.convert("RGBA")
    except InvalidBrief:
        raise
    except Exception as error:  # decoders raise anything for damaged files
        raise _unusable() from error
    _check_shape(layer.size, size)
    flat = Image.new("RGBA", layer.size, (0, 0, 0, 255))
    flat.alpha_composite(layer)
    return flat.convert("L")


def same_shape(mask: tuple[int, int], picture: tuple[int, int]) -> bool:
    """Whether two sizes have the same proportions, but for rounding to whole pixels."""
    return abs(mask[0] * picture[1] - mask[1] * picture[0]) <= max(*mask, *picture)


def _check_shape(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    if not same_shape(mask, picture):
        raise InvalidBrief(
            _("The mask has another shape than the picture: %(mask)s for %(picture)s.")
            % {"mask": f"{mask[0]}×{mask[1]}", "picture": f"{picture[0]}×{picture[1]}"},
            "mask",
        )


def _rectangle(size: tuple[int, int], box: Box) -> Image.Image:
    left, top, width, height = box
    if not (0 <= left < 1 and 0 <= top < 1 and 0 < width <= 1 and 0 < height <= 1):
        raise InvalidBrief(_("The rectangle lies outside the picture."), "mask")
    right, bottom = min(1.0, left + width), min(1.0, top + height)
    corners = (
        round(left * size[0]),
        round(top * size[1]),
        max(round(right * size[0]) - 1, round(left * size[0])),
        max(round(bottom * size[1]) - 1, round(top * size[1])),
    )
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle(corners, fill=255)
    return mask


def _unusable() -> InvalidBrief:
    return InvalidBrief(_("The mask cannot be read. Draw it again."), "mask")
