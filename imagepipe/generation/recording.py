"""Write down how a picture was made: a recipe from a request and its result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from imagepipe.generation.decoding import Scalar, parameters
from imagepipe.generation.edits import EDITS
from imagepipe.generation.recipe import (
    AdapterFacts,
    ModelFacts,
    PostProductionFacts,
    Recipe,
    TemplateFacts,
)
from imagepipe.generation.request import (
    Adapter,
    Control,
    ModelReference,
    Reference,
    Request,
    Result,
)


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
        adapters=_additions(request, result.contents),
        sources=tuple(
            hashlib.sha256(data).hexdigest()
            for data in (request.init_image, request.mask)
            if data is not None
        ),
        template=template,
        postproduction=postproduction,
        feather=request.feather if request.mode in EDITS else 0,
        offset=request.offset or (),
        warnings=result.warnings,
        picture_sha256=hashlib.sha256(result.png).hexdigest(),
    )


def _additions(request: Request, contents: Mapping[str, str]) -> tuple[AdapterFacts, ...]:
    return (
        *(_adapter(adapter, contents) for adapter in request.adapters),
        *(_control(control, contents) for control in request.controls),
        *(_reference(reference, contents) for reference in request.references),
    )


def _adapter(adapter: Adapter, contents: Mapping[str, str]) -> AdapterFacts:
    facts: dict[str, Scalar] = {"location": adapter.location}
    if adapter.kind == "textual-inversion":
        facts["token"] = adapter.token
    return AdapterFacts(
        adapter.kind,
        adapter.slug,
        contents.get(adapter.location, adapter.sha256),
        float(adapter.weight),
        parameters(facts),
    )


def _control(control: Control, contents: Mapping[str, str]) -> AdapterFacts:
    return AdapterFacts(
        f"control-{control.kind}",
        control.model.slug,
        contents.get(control.model.location, control.model.sha256),
        float(control.weight),
        parameters(
            {
                "image": hashlib.sha256(control.image).hexdigest(),
                "location": control.model.location,
                "start": float(control.start),
                "end": float(control.end),
            }
        ),
    )


def _reference(reference: Reference, contents: Mapping[str, str]) -> AdapterFacts:
    """Here ``sha256`` is that of the picture; the weights that read it are parameters."""
    facts: dict[str, Scalar] = {}
    if model := reference.model:
        facts = {
            "model": model.slug,
            "location": model.location,
            "model_sha256": contents.get(model.location, model.sha256),
        }
    return AdapterFacts(
        "reference",
        "",
        hashlib.sha256(reference.image).hexdigest(),
        float(reference.weight),
        parameters(facts),
    )
