from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from imagepipe.generation.control_pictures import canny, soft_edge
from imagepipe.generation.detectors import computed_kinds, detector
from imagepipe.generation.exceptions import UnsupportedRequest


@pytest.fixture
def disc() -> Image.Image:
    image = Image.new("RGB", (96, 80), (30, 60, 200))
    ImageDraw.Draw(image).ellipse((28, 20, 68, 60), fill=(220, 180, 40))
    return image


def distance_to_circle(size: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[: size[1], : size[0]]
    return np.abs(np.hypot(x - 48, y - 40) - 20)


def test_canny_draws_the_outline_thin_and_where_it_is(disc: Image.Image) -> None:
    values = np.asarray(canny(disc))
    assert set(np.unique(values)) == {0, 255}
    white = values[..., 0] > 0
    assert (distance_to_circle(disc.size)[white] < 2.5).all()
    assert 90 < white.sum() < 180  # the circle's length is 126 pixels


def test_canny_keeps_more_with_lower_thresholds(disc: Image.Image) -> None:
    noisy = np.asarray(disc).astype(int) + np.random.default_rng(1).integers(0, 60, (80, 96, 1))
    picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    many = np.asarray(canny(picture, low=0.01, high=0.02)).sum()
    few = np.asarray(canny(picture, low=0.2, high=0.3)).sum()
    assert many > 2 * few


def test_soft_edges_fade_with_the_distance(disc: Image.Image) -> None:
    values = np.asarray(soft_edge(disc))[..., 0].astype(float)
    distance = distance_to_circle(disc.size)
    near, middle, far = (
        values[(distance >= low) & (distance < high)].mean()
        for low, high in ((0, 1), (3, 4), (10, 12))
    )
    assert near > 150 > middle > far
    assert far < 25


@pytest.mark.parametrize("draw", [canny, soft_edge])
def test_an_even_picture_has_no_edges(draw) -> None:
    assert draw(Image.new("RGB", (40, 30), (90, 90, 90))).getextrema() == ((0, 0),) * 3


@pytest.mark.parametrize("kind", ["canny", "softedge"])
def test_control_pictures_have_the_same_size(kind: str, disc: Image.Image) -> None:
    drawn = detector(kind)(disc)
    assert (drawn.size, drawn.mode) == (disc.size, "RGB")


def test_a_site_registers_detectors_for_other_kinds(disc: Image.Image, settings: Any) -> None:
    for kind in ("openpose", "depth", "os.system"):
        with pytest.raises(UnsupportedRequest, match="Upload one. Computed are: canny, softe"):
            detector(kind)
    paths = {"depth": "PIL.ImageOps.invert", "openpose": "nowhere.at.all"}
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"CONTROL_DETECTORS": paths}
    assert computed_kinds() == {"canny", "softedge", "depth", "openpose"}
    assert detector("depth")(disc) == ImageOps.invert(disc)
    with pytest.raises(UnsupportedRequest, match="cannot be imported"):
        detector("openpose")
