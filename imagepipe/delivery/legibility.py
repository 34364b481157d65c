"""How well text can be read on a part of a picture.

WCAG's contrast, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio, between the text's colour and
the cells of a coarse grid of the picture: a letter lies on an area, not on a pixel.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from imagepipe.delivery.crop_shapes import Headline
from imagepipe.urlspec.transform import REGION_SCALE, Region

#: Cells along the longer side of the grid.
SIDE: Final = 64
#: Of the cells in a zone, this share may be worse than what is told.
_IGNORED: Final = 0.05
#: Luminances travel as whole numbers of 0 to this.
SCALE: Final = 1000

Grid = list[list[int]]
"""Rows of relative luminances, 0 to `SCALE`."""


def luminance_grid(content: bytes) -> Grid:
    """The upright picture on white. Raises OSError for what is no picture."""
    with Image.open(io.BytesIO(content)) as image:
        upright = (ImageOps.exif_transpose(image) or image).convert("RGBA")
    upright.thumbnail((4 * SIDE, 4 * SIDE), Image.Resampling.BOX)
    opaque = Image.new("RGB", upright.size, (255, 255, 255))
    opaque.paste(upright, mask=upright.getchannel("A"))
    exact = _luminance(np.asarray(opaque, float) / 255)
    scale = SIDE / max(opaque.size)
    size = max(1, round(opaque.width * scale)), max(1, round(opaque.height * scale))
    cells = Image.fromarray(exact.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return [[round(float(cell) * SCALE) for cell in row] for row in np.asarray(cells)]


def headline_contrast(grid: Grid, region: Region, headline: Headline) -> float:
    """The contrast (1 to 21) that nearly every cell of the headline's zone offers."""
    left, top, width, height = (part / REGION_SCALE for part in region)
    x, y, wide, high = headline.zone
    rows = _cells(top + y * height, top + (y + high) * height, len(grid))
    columns = _cells(left + x * width, left + (x + wide) * width, len(grid[0]))
    text = text_luminance(headline.colour)
    found = sorted(
        contrast(text, grid[row][column] / SCALE) for row in rows for column in columns
    )
    return found[int(_IGNORED * (len(found) - 1))]


def contrast(one: float, other: float) -> float:
    """Of two relative luminances, 1 to 21."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _cells(begin: float, end: float, count: int) -> range:
    """The cells whose middle lies in a span of 0 to 1; at least the one in its middle."""
    first, last = round(begin * count), round(end * count)
    if last <= first:
        first = min(int((begin + end) / 2 * count), count - 1)
        return range(first, first + 1)
    return range(max(0, first), min(count, last))


def text_luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, of a colour written #rrggbb."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return float(_luminance(np.asarray(parts)))


def _luminance(colours: np.ndarray) -> np.ndarray:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    weighted: np.ndarray = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighted
