"""The tiles and sizes that are told to viewers, and that alone are kept (5.3 and 5.4)."""

from __future__ import annotations

from typing import Final

from edge.iiif.geometry import Bounds, Cut, largest
from imagepipe.urlspec import Box

#: Side of a tile, in pixels.
TILE: Final = 512
#: The smallest listed size still has a side this long.
SMALLEST: Final = 128


def scale_factors(width: int, height: int) -> list[int]:
    """1, 2, 4 … until the whole picture is one tile."""
    factors = [1]
    while -(-max(width, height) // factors[-1]) > TILE:
        factors.append(2 * factors[-1])
    return factors


def sizes(width: int, height: int, bounds: Bounds) -> list[tuple[int, int]]:
    """Sizes of the whole picture, the smallest first: the largest one, then by halves."""
    found = {largest(Box(0, 0, width, height), bounds)}
    factor = 1
    while factor == 1 or max(width, height) // factor >= SMALLEST:
        size = -(-width // factor), -(-height // factor)
        if bounds.hold(*size):
            found.add(size)
        factor *= 2
    return sorted(found)


def tile_factor(cut: Cut, width: int, height: int) -> int | None:
    """The scale factor of the tile that this is; None for anything else."""
    box = cut.box
    for factor in scale_factors(width, height):
        side = TILE * factor
        if box.left % side or box.top % side:
            continue
        whole = min(side, width - box.left), min(side, height - box.top)
        scaled = -(-box.width // factor), -(-box.height // factor)
        if (box.width, box.height) == whole and (cut.width, cut.height) == scaled:
            return factor
    return None


def is_listed(cut: Cut, width: int, height: int, bounds: Bounds) -> bool:
    """Whether info.json tells of this picture, as a size or as a tile."""
    if cut.box == (0, 0, width, height):
        return (cut.width, cut.height) in sizes(width, height, bounds)
    return tile_factor(cut, width, height) is not None
