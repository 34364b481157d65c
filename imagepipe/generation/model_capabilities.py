"""Capabilities of a diffusers model, read from its configuration files without loading it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.exceptions import InvalidModel
from imagepipe.generation.weights import read_configuration, read_index

SCHEDULERS = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "UniPCMultistepScheduler",
)
"""Interchangeable noise schedulers, by class name; each was tried from 2 steps up."""

CLASSIFIER_FREE = ("StableDiffusion", "PixArt", "Kolors", "HunyuanDiT")
GUIDANCE_RESCALE = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")


def read_capabilities(folder: Path, max_pixels: int) -> Capabilities:
    """Return what the model in ``folder`` can do. Raises :class:`InvalidModel`."""
    pipeline = str(read_index(folder).get("_class_name"))
    multiple, native = _sizes(folder)
    return Capabilities(
        reproducible=True,
        schedulers=_schedulers(folder),
        max_pixels=max_pixels,
        size_multiple=multiple,
        native_sizes=((native, native),) if native else (),
        supports_negative=pipeline.startswith(CLASSIFIER_FREE),
        supports_guidance_rescale=pipeline in GUIDANCE_RESCALE,
        supports_preview=True,
        max_prompt_tokens=_prompt_tokens(folder),
    )


def _schedulers(folder: Path) -> tuple[str, ...]:
    own = read_configuration(folder / "scheduler" / "scheduler_config.json").get("_class_name")
    if not isinstance(own, str):
        raise InvalidModel("scheduler_config.json does not name a scheduler.")
    return SCHEDULERS if own in SCHEDULERS else (own,)


def _sizes(folder: Path) -> tuple[int, int | None]:
    """Return the multiple that sides must have, and the native side if it is known."""
    decoder = _optional(folder / "vae" / "config.json")
    widths = decoder.get("block_out_channels") or decoder.get("decoder_block_out_channels")
    scale = 2 ** (len(widths) - 1) if isinstance(widths, list) and 1 < len(widths) < 8 else 8
    side = _optional(folder / "unet" / "config.json").get("sample_size") or _optional(
        folder / "transformer" / "config.json"
    ).get("sample_size")
    native = side * scale if isinstance(side, int) and 0 < side < 4096 else None
    transformer = (folder / "transformer").is_dir()
    return max(8, scale * 2 if transformer else scale), native


def _prompt_tokens(folder: Path) -> int | None:
    length = _optional(folder / "tokenizer" / "tokenizer_config.json").get("model_max_length")
    return length - 2 if isinstance(length, int) and 2 < length < 100_000 else None


def _optional(path: Path) -> dict[str, Any]:
    return read_configuration(path) if path.is_file() else {}
