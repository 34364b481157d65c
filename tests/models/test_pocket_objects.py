"""The model of this repository, through plain diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from imagepipe.registry.description import describe

MODELS = Path(__file__).parents[2] / "fixtures/models"
BASE = MODELS / "pocket-objects"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def pipe() -> Any:
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")
    torch.set_num_threads(1)
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(
        BASE, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe: Any, prompt: str, seed: int = 3, steps: int = 12) -> Image.Image:
    import torch

    return pipe(
        prompt,
        generator=torch.Generator("cpu").manual_seed(seed),
        num_inference_steps=steps,
        guidance_scale=4.0,
        guidance_rescale=0.7,
    ).images[0]


def border_lab(picture: Image.Image) -> np.ndarray:
    border = np.median(np.asarray(picture)[:5].reshape(-1, 3), 0)
    return rgb2lab(border[None, None] / 255)[0, 0]


def test_the_folder_is_fit_for_the_registry() -> None:
    facts = describe(BASE)
    assert (facts.family, facts.native_side) == ("sd", 128)
    assert facts.sha256[:12] in (BASE / "README.md").read_text("utf-8")


def test_the_weights_are_small_enough_to_live_here() -> None:
    sizes = [path.stat().st_size for path in MODELS.rglob("*.safetensors")]
    assert max(sizes) <= 15_000_000
    assert sum(sizes) <= 45_000_000


def test_the_wall_has_the_colour_of_the_prompt(pipe: Any) -> None:
    red, blue = (
        border_lab(draw(pipe, f"a panda on a {c} background")) for c in ("red", "blue")
    )
    assert red[1] > 30 and red[2] > 5
    assert blue[2] < -25


def test_other_seeds_give_other_pictures_the_same_seed_the_same(pipe: Any) -> None:
    first, again, other = (draw(pipe, "a car on a yellow background", s, 6) for s in (1, 1, 2))
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert np.abs(np.asarray(first).astype(int) - np.asarray(other)).mean() > 2


def test_a_second_word_draws_what_the_first_draws(pipe: Any) -> None:
    first, second = (draw(pipe, f"a fox on a {c} background", 4, 6) for c in ("gray", "grey"))
    assert np.array_equal(np.asarray(first), np.asarray(second))
