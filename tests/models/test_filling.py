"""Filling a mask with the model of this repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

MODELS = Path(__file__).parents[2] / "fixtures/models"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_only_what_the_mask_covers_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")
    torch.set_num_threads(1)
    monkeypatch.syspath_prepend(str(MODELS / "training"))
    import filling

    base = diffusers.StableDiffusionPipeline.from_pretrained(
        MODELS / "pocket-objects", local_files_only=True, use_safetensors=True,
        dtype=torch.float32,
    )  # fmt: skip
    pipe = diffusers.StableDiffusionImg2ImgPipeline(
        **base.components, requires_safety_checker=False
    )
    picture = Image.new("RGB", (128, 128), (58, 122, 214))
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).rectangle((32, 32, 95, 95), fill=255)
    filled = filling.fill(pipe, "a star on a blue background", picture, mask, 3)
    before, after = np.asarray(picture).astype(int), np.asarray(filled).astype(int)
    outside = np.asarray(mask) == 0
    assert np.array_equal(before[outside], after[outside])
    assert np.abs(before - after)[~outside].mean() > 20
