"""What is left of a request on an engine that can do less, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.edits import EDITS
from imagepipe.generation.request import Request


def downgrade(
    request: Request, capabilities: Capabilities, *, same_family: bool = True
) -> tuple[Request, tuple[str, ...]]:
    """Return a request that fits, and a sentence for each thing that it lost.

    Left out is what refines a picture. What a picture is made of is never left out: raises
    ``UnsupportedRequest`` when the mode or the control pictures are not possible. Adapters fit
    only models of the same family.
    """
    changes: dict[str, Any] = {}
    lost = []
    if request.negative_prompt.strip() and not capabilities.supports_negative:
        changes["negative_prompt"] = ""
        lost.append("The negative prompt was left out.")
    if request.guidance_rescale and not capabilities.supports_guidance_rescale:
        changes["guidance_rescale"] = 0.0
        lost.append("The guidance rescale was left out.")
    if request.scheduler is not None and request.scheduler not in capabilities.schedulers:
        changes["scheduler"] = None
        lost.append(f"The scheduler “{request.scheduler}” was replaced by the engine's own.")
    if request.steps > capabilities.max_steps:
        changes["steps"] = capabilities.max_steps
        lost.append(f"Instead of {request.steps} steps {capabilities.max_steps} were made.")
    adapters = tuple(
        adapter
        for adapter in request.adapters
        if same_family
        and capabilities.supports_adapters
        and adapter.kind in capabilities.adapter_kinds
    )
    if adapters != request.adapters:
        changes["adapters"] = adapters
        lost.append("Adapters were left out.")
    if request.references and not (
        same_family
        and capabilities.supports_references
        and request.mode in capabilities.reference_modes
    ):
        changes["references"] = ()
        lost.append("Reference pictures were left out.")
    size = _size(request, capabilities)
    if size != (request.width, request.height):
        changes |= {"width": size[0], "height": size[1]}
        asked = f"{request.width}×{request.height}"
        lost.append(f"The picture was made at {size[0]}×{size[1]} instead of {asked}.")
    smaller = replace(request, **changes)
    capabilities.check(smaller)
    return smaller, tuple(lost)


Size = tuple[int, int]


def nearest_size(width: int, height: int, sizes: tuple[Size, ...]) -> Size:
    """Return the one of some sizes whose shape is nearest, the larger one of equals."""
    ratio = width / height

    def distance(size: tuple[int, int]) -> tuple[float, int]:
        other = size[0] / size[1]
        return max(other / ratio, ratio / other), -size[0] * size[1]

    return min(sizes, key=distance)


def _size(request: Request, capabilities: Capabilities) -> tuple[int, int]:
    size = (request.width, request.height)
    if request.mode in EDITS:
        return size
    if capabilities.only_native_sizes:
        native = capabilities.native_sizes
        return size if size in native else nearest_size(*size, native)
    multiple = capabilities.size_multiple
    factor = min(1.0, (capabilities.max_pixels / (size[0] * size[1])) ** 0.5)
    width, height = (max(multiple, int(side * factor) // multiple * multiple) for side in size)
    return width, height
