"""From a recipe back to the request that it was made with."""

from __future__ import annotations

from collections.abc import Callable

from imagepipe.generation.exceptions import InvalidRecipe
from imagepipe.generation.recipe import Recipe
from imagepipe.generation.request import Mode, Request

Pictures = Callable[[str], bytes]
"""Returns the bytes of a picture that went in, by its SHA-256."""


def rebuild_request(recipe: Recipe, pictures: Pictures) -> Request:
    """Return the request; whatever ``pictures`` raises for a missing picture passes through.

    Raises :class:`InvalidRecipe` for a recipe that says less than the request had, and
    ``InvalidRequest`` for values that no backend could follow.
    """
    mode = _mode(recipe.mode)
    if recipe.adapters or mode in (Mode.INPAINT, Mode.OUTPAINT):
        raise InvalidRecipe("The recipe names more than can be put together again.")
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
    )


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise InvalidRecipe(f"“{text[:40]}” is not a kind of generation.") from None
