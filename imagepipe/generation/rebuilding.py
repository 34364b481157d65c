"""From a recipe back to the request that it was made with."""

from __future__ import annotations

from collections.abc import Callable

from imagepipe.generation.decoding import Scalar
from imagepipe.generation.exceptions import InvalidRecipe
from imagepipe.generation.recipe import AdapterFacts, Recipe
from imagepipe.generation.request import (
    ADAPTER_KINDS,
    Adapter,
    Control,
    Mode,
    ModelReference,
    Reference,
    Request,
)

Pictures = Callable[[str], bytes]
"""Returns the bytes of a picture that went in, by its SHA-256."""
Weights = Callable[[str, str], ModelReference]
"""Returns weights used beside the model, by their short name and their SHA-256."""
CONTROL = "control-"
REFERENCE = "reference"


def rebuild_request(recipe: Recipe, pictures: Pictures, weights: Weights) -> Request:
    """Return the request; whatever ``pictures`` and ``weights`` raise passes through.

    Raises :class:`InvalidRecipe` for what no request can say, and ``InvalidRequest`` for values
    that no backend could follow.
    """
    mode = _mode(recipe.mode)
    for facts in recipe.adapters:
        if facts.kind not in (*ADAPTER_KINDS, REFERENCE) and not facts.kind.startswith(CONTROL):
            raise InvalidRecipe(f"“{facts.kind[:40]}” is not a kind of adapter.")
    sources = [pictures(sha256) for sha256 in recipe.sources[:2]]
    return Request(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        model=recipe.model.slug,
        seed=recipe.seed,
        width=recipe.width,
        height=recipe.height,
        steps=recipe.steps,
        guidance=recipe.guidance,
        guidance_rescale=recipe.guidance_rescale,
        scheduler=recipe.environment.scheduler or None,
        mode=mode,
        init_image=sources[0] if sources else None,
        mask=sources[1] if len(sources) > 1 else None,
        strength=recipe.strength,
        feather=recipe.feather,
        offset=(recipe.offset[0], recipe.offset[1]) if len(recipe.offset) == 2 else None,
        adapters=tuple(
            _adapter(one, weights) for one in recipe.adapters if one.kind in ADAPTER_KINDS
        ),
        controls=tuple(
            _control(one, pictures, weights)
            for one in recipe.adapters
            if one.kind.startswith(CONTROL)
        ),
        references=tuple(
            _reference(one, pictures, weights)
            for one in recipe.adapters
            if one.kind == REFERENCE
        ),
    )


def _adapter(facts: AdapterFacts, weights: Weights) -> Adapter:
    found = weights(facts.slug, facts.sha256)
    return Adapter(
        slug=facts.slug,
        location=found.location,
        kind=facts.kind,
        weight=facts.weight,
        sha256=found.sha256,
        token=str(dict(facts.parameters).get("token") or ""),
    )


def _control(facts: AdapterFacts, pictures: Pictures, weights: Weights) -> Control:
    said = dict(facts.parameters)
    return Control(
        kind=facts.kind.removeprefix(CONTROL),
        image=pictures(str(said.get("image"))),
        model=weights(facts.slug, facts.sha256),
        weight=facts.weight,
        start=_share(said.get("start"), 0.0),
        end=_share(said.get("end"), 1.0),
    )


def _reference(facts: AdapterFacts, pictures: Pictures, weights: Weights) -> Reference:
    """Here the hash is that of the picture."""
    said = dict(facts.parameters)
    slug = str(said.get("model") or "")
    model = weights(slug, str(said.get("model_sha256") or "")) if slug else None
    return Reference(image=pictures(facts.sha256), weight=facts.weight, model=model)


def _share(value: Scalar, otherwise: float) -> float:
    return float(value) if isinstance(value, (int, float)) else otherwise


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise InvalidRecipe(f"“{text[:40]}” is not a kind of generation.") from None
