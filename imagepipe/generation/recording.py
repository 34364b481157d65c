"""Write down how a picture was made: a recipe from a request and its result."""

from __future__ import annotations

import hashlib

from imagepipe.generation.decoding import parameters
from imagepipe.generation.recipe import (
    AdapterFacts,
    ModelFacts,
    PostProductionFacts,
    Recipe,
    TemplateFacts,
)
from imagepipe.generation.request import ModelReference, Request, Result


def build_recipe(
    request: Request,
    model: ModelReference,
    result: Result,
    *,
    template: TemplateFacts | None = None,
    postproduction: tuple[PostProductionFacts, ...] = (),
) -> Recipe:
    """Return the recipe of ``result``, which ``request`` on ``model`` gave."""
    return Recipe(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        seed=result.seed,
        width=result.width,
        height=result.height,
        steps=request.steps,
        guidance=float(request.guidance),
        guidance_rescale=float(request.guidance_rescale),
        strength=float(request.strength),
        mode=str(request.mode),
        model=ModelFacts(
            slug=model.slug,
            location=model.location,
            sha256=result.environment.model_sha256,
            family=model.family,
        ),
        environment=result.environment,
        adapters=_additions(request),
        sources=tuple(
            hashlib.sha256(data).hexdigest()
            for data in (request.init_image, request.mask)
            if data is not None
        ),
        template=template,
        postproduction=postproduction,
    )


def _additions(request: Request) -> tuple[AdapterFacts, ...]:
    adapters = (
        AdapterFacts(adapter.kind, adapter.slug, adapter.sha256, float(adapter.weight))
        for adapter in request.adapters
    )
    controls = (
        AdapterFacts(
            f"control-{control.kind}",
            control.model.slug,
            control.model.sha256,
            float(control.weight),
            parameters(
                {
                    "image": hashlib.sha256(control.image).hexdigest(),
                    "start": control.start,
                    "end": control.end,
                }
            ),
        )
        for control in request.controls
    )
    references = (
        AdapterFacts(
            "reference",
            "",
            hashlib.sha256(reference.image).hexdigest(),
            float(reference.weight),
        )
        for reference in request.references
    )
    return (*adapters, *controls, *references)
