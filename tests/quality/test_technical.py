from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data

from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.request import ModelReference, Request
from imagepipe.quality.measures import measure, noise_deviation
from imagepipe.quality.protocol import Outcome
from imagepipe.quality.technical import LIMITS, TechnicalQuality

PHOTOGRAPHS = (
    "astronaut brick camera cat cell clock coffee coins grass gravel hubble_deep_field horse "
    "immunohistochemistry microaneurysms moon page retina rocket text"
).split()


def photograph(name: str) -> Image.Image:
    array = np.asarray(getattr(data, name)())
    return Image.fromarray((array * 255).astype(np.uint8) if array.dtype == bool else array)


def noise(side: int, low: int = 0, high: int = 256) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(low, high, (side, side, 3), dtype=np.uint8))


def studio_object(background: tuple[int, int, int], body: tuple[int, int, int]) -> Image.Image:
    """A clean shaded ball on a studio wall, drawn at 128 pixels and enlarged."""
    y, x = np.mgrid[0:128, 0:128] / 128
    wall = np.array(background) * (1.06 - 0.16 * y)[..., None]
    distance = np.hypot(x - 0.5, y - 0.5) / 0.3
    shade = 1.15 - 0.6 * np.hypot(x - 0.42, y - 0.4) / 0.4
    cover = np.clip((1 - distance) * 20, 0, 1)[..., None]
    pixels = wall * (1 - cover) + np.array(body) * shade[..., None] * cover
    small = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return small.resize((512, 512), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_and_scans_pass(name: str) -> None:
    finding = TechnicalQuality().check(photograph(name))
    assert finding.outcome is Outcome.PASSED, finding.message
    assert finding.score is not None and finding.score >= 0.5


@pytest.mark.parametrize(
    ("background", "body"),
    [
        ((58, 122, 214), (205, 52, 52)),
        ((244, 244, 242), (248, 212, 84)),
        ((34, 34, 40), (132, 92, 62)),
        ((242, 152, 182), (244, 244, 242)),
        ((78, 164, 84), (70, 150, 120)),
    ],
)
def test_clean_enlarged_objects_pass(
    background: tuple[int, int, int], body: tuple[int, int, int]
) -> None:
    finding = TechnicalQuality().check(studio_object(background, body))
    assert finding.outcome is Outcome.PASSED, finding.message


@pytest.mark.parametrize("seed", range(4))
def test_pictures_of_the_fake_backend_pass(seed: int) -> None:
    request = Request("a red boat on a blue lake", "sketch", seed, 256, 192)
    picture = FakeBackend().generate(request, ModelReference("sketch")).image()
    assert TechnicalQuality().check(picture).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        pytest.param(noise(512), "noise", id="noise"),
        pytest.param(noise(512).convert("L"), "noise", id="grey-noise"),
        pytest.param(noise(512, 60, 200), "noise", id="soft-noise"),
        pytest.param(
            noise(128).resize((512, 512), Image.Resampling.LANCZOS),
            "noise",
            id="enlarged-noise",
        ),
        pytest.param(
            noise(512).filter(ImageFilter.GaussianBlur(1.2)), "noise", id="blurred-noise"
        ),
        pytest.param(Image.new("RGB", (512, 512), (128, 128, 128)), "flat", id="flat-grey"),
        pytest.param(Image.new("RGB", (512, 512), (200, 30, 30)), "flat", id="flat-red"),
        pytest.param(noise(512, 0, 12), "too-dark", id="near-black"),
        pytest.param(Image.new("RGB", (512, 512)), "too-dark", id="black"),
        pytest.param(Image.new("RGB", (512, 512), "white"), "too-bright", id="white"),
        pytest.param(Image.new("RGBA", (64, 64), (255, 0, 0, 0)), "flat", id="transparent"),
        pytest.param(
            photograph("astronaut").filter(ImageFilter.GaussianBlur(32)),
            "blurred",
            id="blurred",
        ),
    ],
)
def test_planted_faults_are_refused_with_the_reason(picture: Image.Image, code: str) -> None:
    finding = TechnicalQuality().check(picture)

    assert finding.outcome is Outcome.REFUSED
    assert finding.code == code
    assert finding.score is not None and finding.score < 0.5
    assert "is expected" in finding.message


def test_verdict_survives_jpeg(tmp_path: object) -> None:
    output = io.BytesIO()
    noise(256).save(output, "JPEG", quality=80)
    assert TechnicalQuality().check(Image.open(output)).code == "noise"


def test_noise_estimate_equals_the_planted_noise() -> None:
    y, x = np.mgrid[0:256, 0:256] / 256
    smooth = 0.5 + 0.2 * np.sin(3 * x) * np.cos(2 * y)
    for sigma in (0.01, 0.05, 0.1):
        planted = smooth + np.random.default_rng(1).normal(0, sigma, smooth.shape)
        assert noise_deviation(planted) == pytest.approx(sigma, rel=0.05)
    assert noise_deviation(smooth) < 1e-4


def test_every_limit_names_a_measure() -> None:
    measures = measure(Image.new("RGB", (8, 8)))
    assert {limit.measure for limit in LIMITS} <= set(measures.rounded())
    assert len({limit.code for limit in LIMITS}) == len(LIMITS)
