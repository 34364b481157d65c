from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imagepipe.postproduction.exceptions import InvalidStep
from imagepipe.postproduction.upscale import LanczosUpscale

RAMP = Image.linear_gradient("L").resize((64, 48)).convert("RGB")


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
def test_size_is_exactly_multiplied(factor: int) -> None:
    assert LanczosUpscale(factor).apply(RAMP).size == (64 * factor, 48 * factor)


def test_without_factor_and_sharpening_nothing_changes() -> None:
    assert LanczosUpscale(1, sharpen=0).apply(RAMP).tobytes() == RAMP.tobytes()


def test_reducing_again_gives_nearly_the_source() -> None:
    enlarged = LanczosUpscale(4).apply(RAMP).resize(RAMP.size, Image.Resampling.BOX)
    difference = np.abs(np.asarray(enlarged).astype(int) - np.asarray(RAMP).astype(int))
    assert difference.mean() < 1


def test_sharpening_raises_local_contrast() -> None:
    edge = Image.new("RGB", (32, 32), (60, 60, 60))
    edge.paste((190, 190, 190), (16, 0, 32, 32))

    def steepest(sharpen: int) -> int:
        pixels = np.asarray(LanczosUpscale(4, sharpen=sharpen).apply(edge).convert("L"))
        return int(np.abs(np.diff(pixels.astype(int), axis=1)).max())

    assert steepest(100) > steepest(0)


def test_alpha_is_enlarged_not_sharpened() -> None:
    image = RAMP.copy()
    image.putalpha(Image.linear_gradient("L").resize(RAMP.size))
    result = LanczosUpscale(2, sharpen=200).apply(image)
    plain = LanczosUpscale(2, sharpen=0).apply(image)
    assert result.getchannel("A").tobytes() == plain.getchannel("A").tobytes()


@pytest.mark.parametrize(
    "options",
    [{"factor": 0}, {"factor": 9}, {"factor": 2.5}, {"factor": True}, {"sharpen": -1},
     {"sharpen": 201}],
    ids=str,
)  # fmt: skip
def test_odd_parameters_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidStep):
        LanczosUpscale(**options)


def test_too_large_results_are_refused() -> None:
    with pytest.raises(InvalidStep, match="40000×24000 is too large to enlarge to"):
        LanczosUpscale(8).apply(Image.new("1", (5000, 3000)))
