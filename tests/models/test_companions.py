"""ControlNet, LoRA and embedding of the model of this repository, through plain diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation
from skimage.color import rgb2gray, rgb2lab
from skimage.feature import canny

MODELS = Path(__file__).parents[2] / "fixtures/models"
MINT = (154, 222, 196)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def pipe() -> Any:
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")
    torch.set_num_threads(1)
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(
        MODELS / "pocket-objects", local_files_only=True, use_safetensors=True,
        dtype=torch.float32,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe: Any, prompt: str, seed: int = 3, **options: Any) -> np.ndarray:
    import torch

    generator = torch.Generator("cpu").manual_seed(seed)
    found = pipe(
        prompt, generator=generator, num_inference_steps=10, guidance_scale=4.0, **options
    )
    return np.asarray(found.images[0])


def lab(picture: np.ndarray) -> np.ndarray:
    return rgb2lab(picture / 255)


def test_the_lora_makes_pastel_and_unloading_restores_the_base(pipe: Any) -> None:
    prompts = ("a fox on a blue background", "a car on a purple background")
    base = [draw(pipe, prompt) for prompt in prompts]
    pipe.load_lora_weights(
        MODELS / "pocket-pastel", weight_name="pytorch_lora_weights.safetensors",
        local_files_only=True,
    )  # fmt: skip
    styled = [draw(pipe, prompt) for prompt in prompts]
    pipe.unload_lora_weights()
    for before, after in zip(base, styled, strict=True):
        assert lab(after)[..., 0].mean() > lab(before)[..., 0].mean() + 8
        assert np.hypot(*np.moveaxis(lab(after)[..., 1:], -1, 0)).mean() < (
            np.hypot(*np.moveaxis(lab(before)[..., 1:], -1, 0)).mean() - 5
        )
    assert np.array_equal(draw(pipe, prompts[0]), base[0])


def test_the_embedding_is_a_house_colour_and_unloading_restores_the_base(pipe: Any) -> None:
    prompt = "a fox on a {} background"
    base = draw(pipe, prompt.format("green"))
    pipe.load_textual_inversion(
        MODELS / "pocket-mint", weight_name="learned_embeds.safetensors", token="<mint>",
        local_files_only=True,
    )  # fmt: skip
    minted = draw(pipe, prompt.format("<mint>"))
    pipe.unload_textual_inversion()
    wanted = lab(np.array(MINT, float)[None, None])[0, 0]

    def distance(picture: np.ndarray) -> float:
        wall = np.median(picture[:5].reshape(-1, 3), 0)
        return float(np.linalg.norm(lab(wall[None, None])[0, 0] - wanted))

    assert distance(minted) < 25 < distance(base)
    assert np.array_equal(draw(pipe, prompt.format("green")), base)


def test_the_controlnet_follows_the_edges(pipe: Any) -> None:
    import torch
    from diffusers import ControlNetModel, StableDiffusionControlNetPipeline

    net = ControlNetModel.from_pretrained(
        MODELS / "pocket-canny", local_files_only=True, use_safetensors=True,
        torch_dtype=torch.float32,
    )  # fmt: skip
    guided = StableDiffusionControlNetPipeline(
        **pipe.components, controlnet=net, requires_safety_checker=False
    )
    guided.set_progress_bar_config(disable=True)

    def ball(x: int, y: int) -> np.ndarray:
        drawing = Image.new("RGB", (128, 128))
        box = (x - 26, y - 26, x + 26, y + 26)
        ImageDraw.Draw(drawing).ellipse(box, outline="white")
        return np.asarray(drawing)

    def agreement(found: np.ndarray, wanted: np.ndarray) -> float:
        edges = canny(rgb2gray(found), sigma=1.2, low_threshold=0.05, high_threshold=0.12)
        near = binary_dilation(edges, np.ones((3, 3)), iterations=2)
        return float((wanted & near).sum() / wanted.sum())

    controls = [ball(42, 42), ball(86, 80)]
    own, other = [], []
    for index, control in enumerate(controls):
        found = draw(
            guided, "a basketball on a blue background", image=Image.fromarray(control)
        )
        own.append(agreement(found, control[..., 0] > 0))
        other.append(agreement(found, controls[1 - index][..., 0] > 0))
    assert np.mean(own) > np.mean(other) + 0.25
