"""Our own recipe, as it is downloaded, read like a foreign one: for a form to be filled in."""

from __future__ import annotations

from typing import Any

from imagepipe.generation.exceptions import InvalidRecipe
from imagepipe.generation.interchange import values
from imagepipe.generation.interchange.foreign import Addition, ForeignRecipe, UnreadableRecipe
from imagepipe.generation.recipe import Recipe

ENGINES = ("backend", "device", "precision", "hardware", "threads")


def matches(document: Any) -> bool:
    return isinstance(document, dict) and {"schema", "environment", "model"} <= set(document)


def parse(document: dict[str, Any]) -> ForeignRecipe:
    """Return the recipe. Raises :class:`UnreadableRecipe` with what is wrong."""
    try:
        recipe = Recipe.from_dict(document)
    except InvalidRecipe as error:
        raise UnreadableRecipe(str(error)) from error
    return describe(recipe)


def describe(recipe: Recipe) -> ForeignRecipe:
    environment = recipe.environment
    return ForeignRecipe(
        tool="imagepipe",
        prompt=values.words(recipe.prompt),
        negative_prompt=values.words(recipe.negative_prompt),
        seed=values.seed(recipe.seed),
        width=values.side(recipe.width),
        height=values.side(recipe.height),
        steps=values.steps(recipe.steps),
        guidance=values.guidance(recipe.guidance),
        guidance_rescale=values.share(recipe.guidance_rescale),
        strength=None if recipe.mode == "text-to-image" else values.share(recipe.strength),
        sampler=values.name(environment.scheduler),
        scheduler=values.name(environment.scheduler) or None,
        model_name=values.name(recipe.model.slug),
        model_hash=recipe.model.sha256.lower()[:64],
        additions=tuple(
            Addition(values.name(one.kind), values.name(one.slug), values.weight(one.weight))
            for one in recipe.adapters[:32]
        ),
        left_over=values.left_over((name, getattr(environment, name)) for name in ENGINES),
    )
