"""What the engine of a registered model can do, as far as that can be told now."""

from __future__ import annotations

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.exceptions import GenerationError
from imagepipe.generation.request import ModelReference
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.steps.generate import get_backend

HERE = ("fake", "diffusers")


def capabilities_of(model: RegisteredModel) -> Capabilities | None:
    """Return them; None when the engine does not answer or the model cannot be used.

    An engine elsewhere is asked at most every few minutes, and for seconds at most.
    """
    reference = ModelReference(model.slug, model.location, model.family, model.sha256)
    try:
        return get_backend(model.backend).capabilities(reference)
    except GenerationError:
        return None


def fixed_sizes(model: RegisteredModel) -> tuple[tuple[int, int], ...]:
    """Return the only sizes that an engine elsewhere makes; empty when it makes any."""
    capabilities = None if model.backend in HERE else capabilities_of(model)
    if capabilities is None or not capabilities.only_native_sizes:
        return ()
    return capabilities.native_sizes
