"""An image request applied to a picture: which pixels, how large, and its canonical spelling.

All rounding is half up on exact fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from edge.exceptions import BadRequest, Refusal
from edge.iiif.syntax import ImageRequest, Region, Size
from imagepipe.urlspec import Box


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest side and area that are delivered, and whether pictures are enlarged."""

    side: int
    area: int
    enlarges: bool = False

    def hold(self, width: int, height: int) -> bool:
        """Whether a picture of this size may be delivered."""
        return max(width, height) <= self.side and width * height <= self.area


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a picture and the size it is scaled to, before it is turned."""

    box: Box
    width: int
    height: int


def apply(request: ImageRequest, width: int, height: int, bounds: Bounds) -> Cut:
    """The pixels that are asked for. Raises BadRequest (400) or Refusal (501)."""
    box = box_of(request.region, width, height)
    return Cut(box, *output(request.size, box, bounds))


def box_of(region: Region, width: int, height: int) -> Box:
    """A region inside the picture; what reaches over the edge is cut off (section 4.1)."""
    if region.kind == "full":
        return Box(0, 0, width, height)
    if region.kind == "square":
        side = min(width, height)
        return Box((width - side) // 2, (height - side) // 2, side, side)
    x, y, wide, high = region.numbers
    if region.kind == "percent":
        x, wide = x * width / 100, wide * width / 100
        y, high = y * height / 100, high * height / 100
    left, top, extent, rise = map(rounded, (x, y, wide, high))
    extent, rise = min(extent, width - left), min(rise, height - top)
    if extent < 1 or rise < 1:
        raise BadRequest(400, "region", "the region has no pixel of the picture")
    return Box(left, top, extent, rise)


def output(size: Size, box: Box, bounds: Bounds) -> tuple[int, int]:
    """Width and height of the scaled region (section 4.2)."""
    width, height = _asked(size, box, bounds)
    if width < 1 or height < 1:
        raise BadRequest(400, "size", "not a single pixel would be left")
    if not bounds.hold(width, height):
        raise BadRequest(400, "size", "the size is above the limits that info.json tells")
    if width > box.width or height > box.height:
        if not size.enlarges:
            raise BadRequest(400, "size", "larger than the region: this needs ^ in front")
        if not bounds.enlarges:
            raise Refusal(501, "upscaling", "pictures are not enlarged here")
    return width, height


def _asked(size: Size, box: Box, bounds: Bounds) -> tuple[int, int]:
    if size.kind == "percent":
        share = size.share / 100
        return rounded(box.width * share), rounded(box.height * share)
    width, height = size.width, size.height
    if size.kind == "exact":
        if height is None and width is not None:
            return width, rounded(Fraction(box.height * width, box.width))
        if width is None and height is not None:
            return rounded(Fraction(box.width * height, box.height)), height
        return width or 0, height or 0
    if size.kind == "inside" and 0 in (width, height):
        return 0, 0
    return largest(box, bounds, width, height, enlarges=size.enlarges)


def largest(
    box: Box,
    bounds: Bounds,
    width: int | None = None,
    height: int | None = None,
    *,
    enlarges: bool = False,
) -> tuple[int, int]:
    """The largest size of a region's ratio within the bounds and, if given, two sides."""
    most_width = min(bounds.side, width or bounds.side)
    most_height = min(bounds.side, height or bounds.side)
    scale = min(Fraction(most_width, box.width), Fraction(most_height, box.height))
    if not enlarges:
        scale = min(scale, Fraction(1))
    wide, high = (max(1, rounded(side * scale)) for side in (box.width, box.height))
    if wide * high > bounds.area:
        wide = max(1, math.isqrt(bounds.area * box.width // box.height))
        high = max(1, wide * box.height // box.width)
    return wide, high


def canonical(request: ImageRequest, cut: Cut, width: int, height: int, bounds: Bounds) -> str:
    """`<region>/<size>/<rotation>/<quality>.<format>` in the one spelling of section 4.8."""
    box = cut.box
    is_whole = box == (0, 0, width, height)
    region = "full" if is_whole else ",".join(map(str, box))
    is_enlarged = cut.width > box.width or cut.height > box.height
    if (cut.width, cut.height) == largest(box, bounds, enlarges=is_enlarged):
        size = "max"
    else:
        size = f"{cut.width},{cut.height}"
    rotation = f"{'!' * request.mirrored}{request.rotation}"
    name = f"{request.quality}.{request.extension}"
    return f"{region}/{'^' * is_enlarged}{size}/{rotation}/{name}"


def rounded(number: Fraction) -> int:
    """Half up."""
    return math.floor(number + Fraction(1, 2))
