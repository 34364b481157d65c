"""The metadata that InvokeAI writes into PNGs under ``invokeai_metadata``: one JSON object.

https://github.com/invoke-ai/InvokeAI (``invokeai/app/invocations/metadata.py``)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagepipe.generation.interchange import values
from imagepipe.generation.interchange.foreign import MAX_ADDITIONS, Addition, ForeignRecipe
from imagepipe.generation.interchange.samplers import INVOKEAI, scheduler_of

TAKEN = (
    "positive_prompt", "negative_prompt", "seed", "width", "height", "steps", "cfg_scale",
    "cfg_rescale_multiplier", "strength", "scheduler", "model", "loras", "controlnets",
    "ipAdapters", "t2iAdapters",
)  # fmt: skip
GROUPS = (
    ("loras", "lora", "model"),
    ("controlnets", "control", "control_model"),
    ("t2iAdapters", "control", "t2i_adapter_model"),
    ("ipAdapters", "reference", "ip_adapter_model"),
)


def matches(document: Any) -> bool:
    return isinstance(document, dict) and "positive_prompt" in document


def parse(document: dict[str, Any]) -> ForeignRecipe:
    """Return the recipe of the metadata object."""
    model = document.get("model")
    model = model if isinstance(model, dict) else {"name": model}
    sampler = values.name(document.get("scheduler"))
    return ForeignRecipe(
        tool="InvokeAI",
        prompt=values.words(document.get("positive_prompt")),
        negative_prompt=values.words(document.get("negative_prompt")),
        seed=values.seed(document.get("seed")),
        width=values.side(document.get("width")),
        height=values.side(document.get("height")),
        steps=values.steps(document.get("steps")),
        guidance=values.guidance(document.get("cfg_scale")),
        guidance_rescale=values.share(document.get("cfg_rescale_multiplier")),
        strength=values.share(document.get("strength")),
        sampler=sampler,
        scheduler=scheduler_of(sampler, INVOKEAI),
        model_name=values.name(model.get("name") or model.get("model_name")),
        model_hash=values.name(model.get("hash")).rpartition(":")[2].lower(),
        additions=tuple(_additions(document))[:MAX_ADDITIONS],
        left_over=values.left_over(document, TAKEN),
    )


def _additions(document: dict[str, Any]) -> Iterator[Addition]:
    for group, kind, field in GROUPS:
        entries = document.get(group)
        for entry in entries[:MAX_ADDITIONS] if isinstance(entries, list) else ():
            if not isinstance(entry, dict):
                continue
            model = entry.get(field) or entry.get("lora")
            model = model if isinstance(model, dict) else {}
            title = model.get("name", model.get("model_name"))
            weight = entry.get("weight", entry.get("control_weight"))
            yield Addition(kind, values.name(title), values.weight(weight))
