"""Arithmetic of editing pictures: larger canvases, soft edges of masks, putting together.

Masks are greyscale: white is repainted, black is kept. Pure functions on Pillow pictures;
sizes and offsets are pixels, an offset is where the picture's top left corner lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Size = tuple[int, int]
Offset = tuple[int, int]
GROUND_SIDE = 384
"""Longer side, in pixels, at which the ground of new room is blurred."""
GROUND_SIGMAS = (2.0, 4.0, 8.0, 16.0, 32.0)
NEAR = 3.0
"""Over so many of those pixels the blurred ground takes over from the repeated border."""


@dataclass(frozen=True, slots=True)
class Extension:
    """A canvas and where the picture lies on it."""

    width: int
    height: int
    offset: Offset


def centred(picture: Size, canvas: Size) -> Offset:
    """Return the offset that puts a picture into the middle of a canvas."""
    return (canvas[0] - picture[0]) // 2, (canvas[1] - picture[1]) // 2


def fits(picture: Size, canvas: Size, offset: Offset) -> bool:
    """Whether the whole picture lies on the canvas."""
    return all(0 <= o and o + p <= c for p, c, o in zip(picture, canvas, offset, strict=True))


def extend_to_ratio(
    picture: Size, ratio: Size, multiple: int = 8, anchor: tuple[float, float] = (0.5, 0.5)
) -> Extension:
    """Return the smallest canvas of about that ratio which holds the whole picture.

    Both sides become multiples of ``multiple`` (rounded up, so the ratio may be off by less
    than that). ``anchor``: which share of the new room goes to the left and to the top.
    """
    width, height = picture
    across, down = ratio
    wide = max(width, math.ceil(height * across / down))
    tall = max(height, math.ceil(width * down / across))
    wide, tall = _up(wide, multiple), _up(tall, multiple)
    left, top = round((wide - width) * anchor[0]), round((tall - height) * anchor[1])
    return Extension(wide, tall, (left, top))


def extend_sides(
    picture: Size, *, left: int = 0, top: int = 0, right: int = 0, bottom: int = 0
) -> Extension:
    """Return the canvas that has so many pixels more on each side."""
    return Extension(picture[0] + left + right, picture[1] + top + bottom, (left, top))


def place(picture: Image.Image, canvas: Size, offset: Offset) -> Image.Image:
    """Return the canvas with the picture on it; the new room repeats the picture's border."""
    left, top = offset
    right, bottom = canvas[0] - left - picture.width, canvas[1] - top - picture.height
    pixels = np.pad(np.asarray(picture), ((top, bottom), (left, right), (0, 0)), mode="edge")
    return Image.fromarray(pixels)


def continued(picture: Image.Image, canvas: Size, offset: Offset) -> Image.Image:
    """Return the canvas with the picture on it, its ground going on in the new room.

    The border is repeated and blurred the more the farther it is from the picture, so that
    what lies at the border does not become stripes. The picture itself stays as it is.
    """
    placed = place(picture, canvas, offset)
    scale = min(1.0, GROUND_SIDE / max(canvas))
    small = max(1, round(canvas[0] * scale)), max(1, round(canvas[1] * scale))
    ground = _blurred(placed.resize(small, Image.Resampling.BOX), picture.size, offset, scale)
    far = ground.resize(canvas, Image.Resampling.BILINEAR)
    near = np.clip(_distance(canvas, picture.size, offset, 1.0) * scale / NEAR, 0, 1)
    weight = Image.fromarray(np.round(near * near * (3 - 2 * near) * 255).astype(np.uint8))
    return Image.composite(far, placed, weight)


def _blurred(
    placed: Image.Image, picture: Size, offset: Offset, scale: float
) -> Image.Image:
    """Return the small canvas, each place blurred as wide as it is far from the picture."""
    from scipy.ndimage import gaussian_filter

    distance = _distance(placed.size, picture, offset, scale)[..., None]
    plain = np.asarray(placed, dtype=np.float32)
    values = plain
    for sigma in GROUND_SIGMAS:
        wide = gaussian_filter(plain, (sigma, sigma, 0), mode="nearest")
        weight = np.clip(distance / sigma - 1, 0, 1)
        values = values * (1 - weight) + wide * weight
    return Image.fromarray(np.round(values).astype(np.uint8), placed.mode)


def _distance(
    canvas: Size, picture: Size, offset: Offset, scale: float
) -> NDArray[np.float32]:
    """How far each pixel of a canvas at that scale lies from the picture on it."""

    def beyond(length: int, start: float, extent: float) -> NDArray[np.float32]:
        places = np.arange(length, dtype=np.float32)
        return np.maximum(0, np.maximum(start - places, places - (start + extent - 1)))

    across, down = (
        beyond(canvas[axis], offset[axis] * scale, picture[axis] * scale) for axis in (0, 1)
    )
    return np.hypot(across[None, :], down[:, None])


def new_room(picture: Size, canvas: Size, offset: Offset) -> Image.Image:
    """Return the mask of a larger canvas: white where there is no picture."""
    mask = Image.new("L", canvas, 255)
    mask.paste(0, (*offset, offset[0] + picture[0], offset[1] + picture[1]))
    return mask


def feather(mask: Image.Image, pixels: int) -> Image.Image:
    """Return the mask with an edge that fades out over ``pixels`` beyond the white area.

    What is white stays white; what is farther than ``pixels`` from it stays as it was.
    """
    from scipy.ndimage import distance_transform_edt

    values = np.asarray(mask)
    white = values >= 128
    if not pixels or not white.any() or white.all():
        return mask
    distance = distance_transform_edt(~white)
    nearness = np.where(distance <= pixels, 1 - distance / (pixels + 1), 0)
    smooth = nearness * nearness * (3 - 2 * nearness)
    return Image.fromarray(np.maximum(values, np.round(smooth * 255).astype(np.uint8)))


def touched(mask: Image.Image) -> Image.Image:
    """Return a mask that is white wherever the given one is not quite black."""
    return mask.point([0] + [255] * 255)


def composite(kept: Image.Image, painted: Image.Image, mask: Image.Image) -> Image.Image:
    """Return ``painted`` where the mask is white and exactly ``kept`` where it is black."""
    return Image.composite(painted, kept, mask)


def cover(picture: Image.Image, canvas: Size) -> Image.Image:
    """Return the picture scaled to fill the canvas, its middle kept, the rest cut off."""
    if picture.size == canvas:
        return picture
    scale = max(canvas[0] / picture.width, canvas[1] / picture.height)
    wide, tall = canvas[0] / scale, canvas[1] / scale
    left, top = max(0.0, (picture.width - wide) / 2), max(0.0, (picture.height - tall) / 2)
    box = (left, top, min(picture.width, left + wide), min(picture.height, top + tall))
    return picture.resize(canvas, Image.Resampling.LANCZOS, box)


def pad_to_multiple(picture: Image.Image, multiple: int) -> Image.Image:
    """Return the picture with its right and lower border repeated up to the multiple."""
    canvas = _up(picture.width, multiple), _up(picture.height, multiple)
    if canvas == picture.size:
        return picture
    if picture.mode == "L":
        larger = Image.new("L", canvas, 0)
        larger.paste(picture)
        return larger
    return place(picture, canvas, (0, 0))


def to_cells(mask: Image.Image, cell: int) -> Image.Image:
    """Return the mask grown to whole squares of ``cell`` pixels; sides are multiples of it."""
    small = (mask.width // cell, mask.height // cell)
    shrunk = np.asarray(mask).reshape(small[1], cell, small[0], cell).max(axis=(1, 3))
    return touched(Image.fromarray(shrunk)).resize(mask.size, Image.Resampling.NEAREST)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
