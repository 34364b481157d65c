from __future__ import annotations

import io

import pytest
from PIL import Image

from imagepipe.delivery.crop_shapes import Headline
from imagepipe.delivery.legibility import headline_contrast, luminance_grid

WHOLE = (0, 0, 10000, 10000)
ALL = (0.0, 0.0, 1.0, 1.0)


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("background", "text", "expected"),
    [
        ((0, 0, 0), "#ffffff", 21.0),
        ((255, 255, 255), "#ffffff", 1.0),
        ((255, 255, 255), "#767676", 4.54),
        ((255, 0, 0), "#ffffff", 4.0),
        ((0, 0, 255), "#ffff00", 8.0),
    ],
)
def test_the_contrasts_of_plain_colours(
    background: tuple[int, int, int], text: str, expected: float
) -> None:
    """As published for WCAG: grey #767676 is the lightest on white for 4.5, red is 4.0."""
    grid = luminance_grid(encoded(Image.new("RGB", (300, 200), background)))
    assert (len(grid[0]), len(grid)) == (64, 43)
    assert headline_contrast(grid, WHOLE, Headline(ALL, text)) == pytest.approx(expected, 0.01)


def test_only_the_zone_of_the_crop_counts() -> None:
    """Left half black, right half white; the crop is the right half, or the left."""
    image = Image.new("RGB", (400, 200))
    image.paste((255, 255, 255), (200, 0, 400, 200))
    grid = luminance_grid(encoded(image))
    left, right, both = (0, 0, 5000, 10000), (5000, 0, 5000, 10000), WHOLE
    assert headline_contrast(grid, left, Headline(ALL)) == 21
    assert headline_contrast(grid, right, Headline(ALL)) == 1
    assert headline_contrast(grid, both, Headline((0.0, 0.5, 0.4, 0.5))) == 21
    assert headline_contrast(grid, both, Headline((0.6, 0.5, 0.4, 0.5))) == 1
    assert headline_contrast(grid, both, Headline((0.25, 0.0, 0.5, 1.0))) == 1


def test_a_few_bright_spots_do_not_count_and_many_do() -> None:
    for spots, expected in ((1, 21.0), (8, 1.0)):
        image = Image.new("RGB", (640, 640))
        for number in range(spots):
            image.paste((255, 255, 255), (0, number * 10, 640, number * 10 + 10))
        grid = luminance_grid(encoded(image))
        assert headline_contrast(grid, WHOLE, Headline(ALL)) == expected


def test_what_is_transparent_counts_as_white() -> None:
    grid = luminance_grid(encoded(Image.new("RGBA", (90, 90), (0, 0, 0, 0))))
    assert headline_contrast(grid, WHOLE, Headline(ALL)) == 1


def test_the_smallest_zone_has_a_cell() -> None:
    grid = luminance_grid(encoded(Image.new("RGB", (640, 320))))
    headline = Headline((0.999, 0.999, 0.001, 0.001))
    assert headline_contrast(grid, (9900, 9900, 100, 100), headline) == 21
