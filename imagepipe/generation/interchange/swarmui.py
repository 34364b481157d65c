"""The metadata of SwarmUI: JSON with ``sui_image_params``, ``sui_extra_data``, ``sui_models``.

https://github.com/mcmonkeyprojects/SwarmUI (``docs/Image Metadata Format.md``)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagepipe.generation.interchange import values
from imagepipe.generation.interchange.foreign import MAX_ADDITIONS, Addition, ForeignRecipe
from imagepipe.generation.interchange.samplers import COMFYUI, scheduler_of

TAKEN = (
    "prompt", "negativeprompt", "seed", "width", "height", "steps", "cfgscale", "sampler",
    "scheduler", "model", "loras", "loraweights", "initimagecreativity",
)  # fmt: skip


def matches(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("sui_image_params"), dict)


def parse(document: dict[str, Any]) -> ForeignRecipe:
    """Return the recipe of the metadata object."""
    params = document["sui_image_params"]
    sampler = values.name(params.get("sampler"))
    spacing = values.name(params.get("scheduler"))
    extra = document.get("sui_extra_data")
    rest = params | extra if isinstance(extra, dict) else params
    return ForeignRecipe(
        tool="SwarmUI",
        prompt=values.words(params.get("prompt")),
        negative_prompt=values.words(params.get("negativeprompt")),
        seed=values.seed(params.get("seed")),
        width=values.side(params.get("width")),
        height=values.side(params.get("height")),
        steps=values.steps(params.get("steps")),
        guidance=values.guidance(params.get("cfgscale")),
        strength=values.share(params.get("initimagecreativity")),
        sampler=" ".join(filter(None, (sampler, spacing))),
        scheduler=scheduler_of(sampler, COMFYUI),
        model_name=values.name(params.get("model")),
        model_hash=_model_hash(document),
        additions=tuple(_loras(params)),
        left_over=values.left_over(rest, TAKEN),
    )


def _model_hash(document: dict[str, Any]) -> str:
    models = document.get("sui_models")
    for model in models[:MAX_ADDITIONS] if isinstance(models, list) else ():
        if isinstance(model, dict) and model.get("param") == "model":
            return values.name(model.get("hash")).lower().removeprefix("0x")
    return ""


def _loras(params: dict[str, Any]) -> Iterator[Addition]:
    names, weights = _several(params.get("loras")), _several(params.get("loraweights"))
    for index, title in enumerate(names[:MAX_ADDITIONS]):
        weight = weights[index] if index < len(weights) else 1.0
        yield Addition("lora", values.name(title), values.weight(weight))


def _several(value: Any) -> list[Any]:
    """Older versions write lists as text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value[:10_000].split(",") if part.strip()]
    return value if isinstance(value, list) else []
