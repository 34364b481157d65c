"""The arguments of one call of a pipeline: they differ with mode, family and conditions."""

from __future__ import annotations

import inspect
from typing import Any

from imagepipe.generation.preparation import Prepared
from imagepipe.generation.request import Mode, Request


def call_options(
    pipeline: Any, request: Request, prepared: Prepared, mode: Mode
) -> dict[str, Any]:
    """Return the arguments of a call that depend on mode, family and conditions."""
    accepted = inspect.signature(type(pipeline).__call__).parameters
    options: dict[str, Any] = {"width": prepared.width, "height": prepared.height}
    if request.negative_prompt.strip():
        options["negative_prompt"] = request.negative_prompt
    if request.guidance_rescale:
        options["guidance_rescale"] = request.guidance_rescale
    if mode is not Mode.TEXT_TO_IMAGE:
        options |= {"image": prepared.start, "strength": request.strength}
        if mode is not Mode.IMAGE_TO_IMAGE:
            options["mask_image"] = prepared.region
    if request.controls:
        options |= _control_options(request, prepared, "control_image" in accepted)
    if prepared.references:
        options["ip_adapter_image"] = [list(prepared.references)]
    return {name: value for name, value in options.items() if name in accepted}


def _control_options(request: Request, prepared: Prepared, own_name: bool) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {
        "control_image" if own_name else "image": list(prepared.controls),
        "controlnet_conditioning_scale": [float(c.weight) for c in request.controls],
        "control_guidance_start": [float(c.start) for c in request.controls],
        "control_guidance_end": [float(c.end) for c in request.controls],
        "control_mode": [None for _ in request.controls],
    }
    if len(request.controls) == 1:
        return {name: values[0] for name, values in columns.items()}
    return columns


def unheard(pipeline: Any, request: Request) -> tuple[str, ...]:
    """Return a sentence for each wish that has no effect on this picture."""
    accepted = inspect.signature(type(pipeline).__call__).parameters
    found = []
    if request.guidance_rescale and "guidance_rescale" not in accepted:
        found.append("Guidance rescale has no effect in this mode with this model.")
    texts = f"{request.prompt} {request.negative_prompt}"
    found += [
        f"The word “{adapter.token}” of the embedding “{adapter.slug}” is not in the prompt."
        for adapter in request.adapters
        if adapter.token and adapter.token not in texts
    ]
    return tuple(found)
