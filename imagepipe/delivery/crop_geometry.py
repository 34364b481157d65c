"""Crops of one ratio, in whole pixels and in the 1/10000 that addresses and grants count in.

Pure functions. Sizes are pixels of the upright picture, ratios are in lowest terms.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from imagepipe.urlspec.geometry import Box, region_pixels
from imagepipe.urlspec.transform import MIN_REGION, REGION_SCALE, Region

#: Below so many steps of the ratio, exactness would cost more than a pixel does.
_FEW: Final = 25

#: Shortest side of a crop, in 1/10000: what addresses take, and room to round in.
_LEAST: Final = 2 * MIN_REGION

Size = tuple[int, int]


def largest(ratio: Size, size: Size) -> Size:
    """Width and height of the largest crop of this ratio.

    Exactly in the ratio where its terms are small against the picture, else to the pixel.
    """
    return sized(ratio, size, Fraction(10**9))


def sized(ratio: Size, size: Size, scale: Fraction) -> Size:
    """The crop that is about ``scale`` times the ratio's terms and fits into the picture."""
    (across, down), (width, height) = ratio, size
    most = min(Fraction(width, across), Fraction(height, down))
    least = max(
        Fraction(_LEAST * width, REGION_SCALE * across),
        Fraction(_LEAST * height, REGION_SCALE * down),
    )
    chosen = min(max(scale, least), most)
    if most >= _FEW:
        step = min(max(round(chosen), math.ceil(least)), int(most))
        return step * across, step * down
    return (
        min(width, max(1, round(chosen * across))),
        min(height, max(1, round(chosen * down))),
    )


def snapped(region: Region, ratio: Size, size: Size) -> Region:
    """The crop of this ratio that the region holds, as well as it can, round its middle."""
    (left, top, wide, high), (width, height) = region, size
    known = region_pixels(width, height, region)
    if known.width * ratio[1] == known.height * ratio[0] and min(wide, high) >= _LEAST:
        return region_of(known, size)
    pixels = Fraction(wide * width, REGION_SCALE), Fraction(high * height, REGION_SCALE)
    crop = sized(ratio, size, min(pixels[0] / ratio[0], pixels[1] / ratio[1]))
    start = (
        Fraction(left * width, REGION_SCALE) + (pixels[0] - crop[0]) / 2,
        Fraction(top * height, REGION_SCALE) + (pixels[1] - crop[1]) / 2,
    )
    x, y = (
        min(max(round(at), 0), side - part)
        for at, side, part in zip(start, size, crop, strict=True)
    )
    return region_of(Box(x, y, *crop), size)


def region_of(box: Box, size: Size) -> Region:
    """Pixels in 1/10000; read back, they are the same pixels up to 10000 on a side."""
    edges = [
        (_parts(start, side), _parts(start + length, side))
        for start, length, side in (
            (box.left, box.width, size[0]),
            (box.top, box.height, size[1]),
        )
    ]
    (left, right), (top, bottom) = edges
    return left, top, right - left, bottom - top


def _parts(place: int, side: int) -> int:
    """Half up, as addresses are read."""
    return (2 * place * REGION_SCALE + side) // (2 * side)
