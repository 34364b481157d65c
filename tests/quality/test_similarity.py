from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from imagepipe.quality.similarity import similarity


@pytest.fixture
def picture() -> Image.Image:
    ramp = Image.linear_gradient("L").resize((96, 64))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 96), np.uint8))
    return Image.merge("RGB", (ramp, noise.filter(ImageFilter.BoxBlur(6)), ramp.rotate(180)))


def test_equal_pictures(picture: Image.Image) -> None:
    found = similarity(picture, picture.copy())
    assert (found.ssim, found.hash_bits) == (pytest.approx(1.0), 0)


def test_a_last_bit_here_and_there_is_hardly_seen(picture: Image.Image) -> None:
    pixels = np.asarray(picture).astype(int)
    pixels += np.random.default_rng(2).integers(-1, 2, pixels.shape)
    other = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    found = similarity(picture, other)
    assert 0.98 < found.ssim < 1.0
    assert found.hash_bits <= 4


def test_another_picture_and_another_colour_are_not_alike(picture: Image.Image) -> None:
    assert similarity(picture, picture.transpose(Image.Transpose.ROTATE_180)).ssim < 0.6
    red, green, blue = picture.split()
    assert similarity(picture, Image.merge("RGB", (blue, red, green))).ssim < 0.9


def test_other_and_tiny_sizes_can_be_compared(picture: Image.Image) -> None:
    assert similarity(picture, picture.resize((48, 32))).ssim < 1.0
    assert similarity(picture.resize((3, 2)), picture.resize((3, 2))).ssim == pytest.approx(1.0)
