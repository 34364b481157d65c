"""Sizes and crop boxes, in whole numbers only.

The page writes `width` and `height` from here and the edge makes pixels from here, so the
two always agree. All rounding is half up on exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from imagepipe.urlspec.aim import Side, place, spans
from imagepipe.urlspec.scene import NOTHING_KNOWN, Scene
from imagepipe.urlspec.transform import KNOWN, REGION_SCALE, Region, Transform

_COMPASS_X = {
    "west": 0,
    "northwest": 0,
    "southwest": 0,
    "east": 2,
    "northeast": 2,
    "southeast": 2,
}
_COMPASS_Y = {
    "north": 0,
    "northwest": 0,
    "northeast": 0,
    "south": 2,
    "southwest": 2,
    "southeast": 2,
}


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How to make the pixels: scale the whole source, cut `crop_box`, put it on the canvas.

    `width` and `height` are the exact output size. `offset` is where the cut picture lies on
    the canvas; it differs from (0, 0), and the cut from the canvas, only for "pad".
    `region` is the part of the scaled source that may be shown at all: all of it, unless the
    transform names a crop region. `crop_box` lies within it. With `is_searched` its place is
    to be found in the pixels ("attention"); what is given here is the centre.
    """

    scale_width: int
    scale_height: int
    crop_box: Box
    width: int
    height: int
    offset: tuple[int, int]
    region: Box
    is_searched: bool = False

    @property
    def is_padded(self) -> bool:
        """Whether a background shows around the picture."""
        return (self.crop_box.width, self.crop_box.height) != (self.width, self.height)

    @property
    def is_cropped(self) -> bool:
        """Whether part of the source is cut off."""
        return self.crop_box != (0, 0, self.scale_width, self.scale_height)


def plan(
    source_width: int,
    source_height: int,
    transform: Transform,
    scene: Scene = NOTHING_KNOWN,
) -> Plan:
    """Work out a rendition from the size of its (upright) source and what is known of it.

    Raises ValueError when the source has no pixels, or a point lies outside the picture.
    """
    region = _shown(source_width, source_height, transform, scene)
    inner_width, inner_height, width, height = _sizes(region.width, region.height, transform)
    scale_width = _scaled(source_width, inner_width, region.width)
    scale_height = _scaled(source_height, inner_height, region.height)
    cut_width, cut_height = min(inner_width, width), min(inner_height, height)
    shown = Box(
        _start(region.left, source_width, scale_width, inner_width),
        _start(region.top, source_height, scale_height, inner_height),
        inner_width,
        inner_height,
    )
    sides = (
        Side(source_width, region.left, region.width, inner_width, cut_width),
        Side(source_height, region.top, region.height, inner_height, cut_height),
    )
    last, left, top = _aim(transform, scene, sides)
    offset = (
        (width - cut_width) * _COMPASS_X.get(last, 1) // 2,
        (height - cut_height) * _COMPASS_Y.get(last, 1) // 2,
    )
    box = Box(shown.left + left, shown.top + top, cut_width, cut_height)
    is_searched = last == "attention" and (box.width, box.height) != (shown.width, shown.height)
    return Plan(scale_width, scale_height, box, width, height, offset, shown, is_searched)


def output_size(
    source_width: int,
    source_height: int,
    transform: Transform,
    scene: Scene = NOTHING_KNOWN,
) -> tuple[int, int]:
    """Width and height of the plan, without the rest of it. Raises ValueError likewise."""
    region = _shown(source_width, source_height, transform, scene)
    return _sizes(region.width, region.height, transform)[2:]


def _shown(width: int, height: int, transform: Transform, scene: Scene) -> Box:
    """The part of the source that may be shown at all, in its pixels."""
    if width < 1 or height < 1:
        raise ValueError("the source must have at least one pixel on a side")
    crop = transform.crop
    if isinstance(crop, str):
        crop = scene.crops.get(crop)
    return region_pixels(width, height, crop)


def _divide(numerator: int, denominator: int) -> int:
    """Half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _scaled(side: int, target: int, source: int) -> int:
    """`side` scaled as `source` is to `target`; never shorter than `target`."""
    return max(target, _divide(side * target, source))


def region_pixels(width: int, height: int, region: Region | None) -> Box:
    """The part of a picture of this size; edges are rounded half up, none is the whole."""
    if region is None:
        return Box(0, 0, width, height)
    left, top = (
        _divide(region[0] * width, REGION_SCALE),
        _divide(region[1] * height, REGION_SCALE),
    )
    right = _divide((region[0] + region[2]) * width, REGION_SCALE)
    bottom = _divide((region[1] + region[3]) * height, REGION_SCALE)
    left, top = min(left, width - 1), min(top, height - 1)
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def _sizes(width: int, height: int, transform: Transform) -> tuple[int, int, int, int]:
    """Size of the scaled region, then of the output."""
    if transform.fit == "fit":
        inside = _inside(width, height, transform)
        return (*inside, *inside)
    box_width, box_height = transform.box
    if transform.fit == "crop":
        return width, height, min(box_width, width), min(box_height, height)
    if transform.fit == "fill":
        box = _fill_box(width, height, box_width, box_height, transform.upscale)
        return (*_cover(width, height, *box), *box)
    return (*_inside(width, height, transform), box_width, box_height)


def _inside(width: int, height: int, transform: Transform) -> tuple[int, int]:
    """Largest size of the same ratio inside the box."""
    box_width, box_height = transform.width, transform.height
    by_width = box_width is not None and (
        box_height is None or box_width * height <= box_height * width
    )
    if by_width and box_width is not None:
        if box_width < width or transform.upscale:
            return box_width, max(1, _divide(height * box_width, width))
    elif box_height is not None and (box_height < height or transform.upscale):
        return max(1, _divide(width * box_height, height)), box_height
    return width, height


def _fill_box(
    width: int, height: int, box_width: int, box_height: int, upscale: bool
) -> tuple[int, int]:
    """The box itself or, without upscaling, the largest one of its ratio inside the source."""
    if upscale or (box_width <= width and box_height <= height):
        return box_width, box_height
    if box_width * height >= box_height * width:
        return width, max(1, _divide(box_height * width, box_width))
    return max(1, _divide(box_width * height, box_height)), height


def _cover(width: int, height: int, box_width: int, box_height: int) -> tuple[int, int]:
    """Smallest size of the source's ratio that covers the box."""
    if box_width * height >= box_height * width:
        return box_width, max(box_height, _divide(height * box_width, width))
    return max(box_width, _divide(width * box_height, height)), box_height


def _aim(transform: Transform, scene: Scene, sides: tuple[Side, Side]) -> tuple[str, int, int]:
    """The part of the gravity that decided, and where the cut starts within the region."""
    *_, last = transform.gravities
    named = [part for part in transform.gravities if part in KNOWN]
    found = [part for part in named if spans(scene, part, 0)]
    if found:
        left, top = (
            place(side, [spans(scene, part, axis) for part in found])
            for axis, side in enumerate(sides)
        )
        return found[0], left, top
    across, down = sides
    return (
        last,
        (across.length - across.cut) * _COMPASS_X.get(last, 1) // 2,
        (down.length - down.cut) * _COMPASS_Y.get(last, 1) // 2,
    )


def _start(start: int, side: int, scaled: int, length: int) -> int:
    """Where a region starts in the scaled source, so that its length still fits."""
    return max(0, min(_divide(start * scaled, side), scaled - length))
