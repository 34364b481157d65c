"""What a few cheap looks at a picture tell about how well it will compress."""

from __future__ import annotations

import math
from typing import Final

from edge.vips import pyvips

#: A picture is judged by tiles of this side, at most this many.
TILE: Final = 192
MOST_TILES: Final = 6


def features(image: pyvips.Image) -> dict[str, float]:
    """Numbers near -3 to 7: bits per pixel of a quick JPEG, edges, size."""
    sample = tiles(image)
    grey = sample.colourspace("b-w")
    quick = len(sample.jpegsave_buffer(Q=75, keep="none")) * 8
    pixels = sample.width * sample.height
    edges = grey.sobel().avg()
    return {
        "bits": math.log2(quick / pixels),
        "edges": math.log2(1 + edges),
        "size": math.log2(image.width * image.height) / 10,
    }


def tiles(image: pyvips.Image) -> pyvips.Image:
    """The picture itself or, of a large one, evenly spread parts beside each other."""
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    width, height = image.width, image.height
    if width * height <= MOST_TILES * TILE * TILE or min(width, height) < TILE:
        return image
    across, down = (3, 2) if width >= height else (2, 3)
    parts = [
        image.crop(
            (2 * column + 1) * (width - TILE) // (2 * across),
            (2 * row + 1) * (height - TILE) // (2 * down),
            TILE,
            TILE,
        )
        for row in range(down)
        for column in range(across)
    ]
    return pyvips.Image.arrayjoin(parts, across=across).copy_memory()
