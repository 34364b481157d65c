"""Capabilities of a diffusers model, read from its configuration files without loading it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.exceptions import InvalidModel
from imagepipe.generation.families import Family, family_of
from imagepipe.generation.request import Mode
from imagepipe.generation.weights import read_configuration, read_index

GUIDANCE_RESCALE = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
INPAINTING_CHANNELS = 9
"""Latents, mask and masked latents: checkpoints that can do nothing but inpaint."""


def read_capabilities(folder: Path, max_pixels: int) -> Capabilities:
    """Return what the model in ``folder`` can do. Raises :class:`InvalidModel`."""
    pipeline = str(read_index(folder).get("_class_name"))
    family = family_of(pipeline)
    multiple, native = _sizes(folder)
    modes = _modes(folder, family)
    return Capabilities(
        modes=modes,
        reproducible=True,
        schedulers=_schedulers(folder, family),
        max_pixels=max_pixels,
        size_multiple=multiple,
        native_sizes=((native, native),) if native else (),
        supports_negative=family.negative,
        supports_guidance=_guided(folder),
        supports_guidance_rescale=family.classes[Mode.TEXT_TO_IMAGE] in GUIDANCE_RESCALE,
        supports_preview=True,
        supports_controls=bool(family.control_classes),
        supports_adapters=bool(family.adapter_kinds),
        supports_references=family.references,
        control_modes=modes & frozenset(family.control_classes),
        adapter_kinds=family.adapter_kinds,
        max_prompt_tokens=_prompt_tokens(folder),
    )


def _modes(folder: Path, family: Family) -> frozenset[Mode]:
    backbone = _optional(folder / family.backbone / "config.json")
    if family.backbone == "unet" and backbone.get("in_channels") == INPAINTING_CHANNELS:
        return frozenset({Mode.INPAINT, Mode.OUTPAINT})
    return frozenset(family.classes)


def _guided(folder: Path) -> bool:
    """Distilled models say that they have no input for guidance."""
    return _optional(folder / "transformer" / "config.json").get("guidance_embeds") is not False


def _schedulers(folder: Path, family: Family) -> tuple[str, ...]:
    own = read_configuration(folder / "scheduler" / "scheduler_config.json").get("_class_name")
    if not isinstance(own, str):
        raise InvalidModel("scheduler_config.json does not name a scheduler.")
    return family.schedulers if own in family.schedulers else (own,)


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
