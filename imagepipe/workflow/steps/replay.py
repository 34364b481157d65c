"""Makes the picture of a version again from its recipe and compares; changes no version."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PIL import Image

from imagepipe.assets import masters
from imagepipe.assets.models import AssetVersion
from imagepipe.conf import get_settings
from imagepipe.generation.backends import ground
from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.decoding import encode
from imagepipe.generation.differences import differences
from imagepipe.generation.exceptions import (
    Cancelled,
    InvalidRecipe,
    InvalidRequest,
    UnsupportedRequest,
)
from imagepipe.generation.rebuilding import rebuild_request
from imagepipe.generation.recipe import Recipe
from imagepipe.generation.request import ModelReference, Result
from imagepipe.postproduction.protocol import Step as PixelStep
from imagepipe.postproduction.protocol import run_steps
from imagepipe.postproduction.upscale import LanczosUpscale
from imagepipe.workflow import blobs, verdicts
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.expenses import metered
from imagepipe.workflow.replay_sources import (
    Original,
    ReplayRefused,
    find_companion,
    find_model,
    find_original,
    read_picture,
    read_recipe,
)
from imagepipe.workflow.steps.generate import Progress, get_backend
from imagepipe.workflow.steps.registry import Step
from imagepipe.workflow.steps.upscale import Fit, Stretch
from imagepipe.workflow.verdicts import Comparison, Verdict


def run(context: StepContext) -> dict[str, Any]:
    params = context.node.params
    version = AssetVersion.objects.select_related("candidate__run").get(
        asset__uid=params["asset"], number=params["version"]
    )
    try:
        recipe = read_recipe(version)
        result, reproducible = _make(context, recipe)
    except ReplayRefused as error:
        return {"verdict": str(Verdict.REFUSED), "refusal": error.facts}
    except (InvalidRecipe, InvalidRequest, UnsupportedRequest) as error:
        facts = {"code": "impossible", "name": str(error), "then": "", "now": ""}
        return {"verdict": str(Verdict.REFUSED), "refusal": facts}
    original = find_original(version, recipe)
    try:
        comparison = compare(version, recipe, original, result.png)
    except ReplayRefused as error:
        return {"verdict": str(Verdict.REFUSED), "refusal": error.facts}
    found = differences(recipe.environment, result.environment)
    output = verdicts.to_output(comparison, found, reproducible)
    output |= {
        "seconds": round(result.seconds, 3),
        "original_sha256": original.sha256,
        "environment": encode(result.environment),
    }
    context.check()
    if params["keep"] or comparison.verdict is Verdict.BIT_EXACT and original.content:
        # The same bytes have the same name: keeping an exact copy takes no room.
        output |= {"sha256": blobs.store(result.png)}
    return output


def _make(context: StepContext, recipe: Recipe) -> tuple[Result, bool]:
    params = context.node.params
    other_weights = params["other_weights"]
    if recipe.environment.backend == ground.NAME:
        name, reference = ground.NAME, ModelReference(recipe.model.slug)
    else:
        model, reference = find_model(recipe, other_weights=other_weights)
        name = model.backend
    weights = partial(find_companion, other_weights=other_weights)
    request = rebuild_request(recipe, read_picture, weights)
    backend = _backend(name, recipe, as_installed=params["as_installed"])
    progress = Progress(context)
    try:
        make = partial(backend.generate, request, reference)
        result = metered(name, make, progress, context.charge)
    except Cancelled as error:
        raise progress.reason or error from error
    return result, backend.capabilities(reference).reproducible


def _backend(name: str, recipe: Recipe, *, as_installed: bool) -> Backend:
    """The engine, set as recorded (threads, precision, …) unless it is to be as today."""
    recorded = recipe.environment
    if as_installed or name != "diffusers" or recorded.backend != name:
        return get_backend(name)
    chosen: dict[str, Any] = {"threads": recorded.threads}
    if recorded.device == get_settings().DEVICE:
        chosen |= {"precision": recorded.precision, **dict(recorded.settings)}
    return get_backend(name, **chosen)


def compare(
    version: AssetVersion, recipe: Recipe, original: Original, png: bytes
) -> Comparison:
    """Compare with the raw picture where it is kept, else with the master.

    Raises :class:`ReplayRefused` where neither is possible.
    """
    comparison = verdicts.compare_raw(original.sha256, original.content, png)
    if comparison is not None:
        return comparison
    steps = recorded_steps(recipe)
    if steps is None:
        raise ReplayRefused("original-missing", then=original.sha256)

    def finish(raw: Image.Image) -> Image.Image:
        return run_steps(raw, steps)[0]

    return verdicts.compare_master(masters.read(version.sha256), png, finish)


def recorded_steps(recipe: Recipe) -> list[PixelStep] | None:
    """The steps after generation as they were recorded; None: they need more than pixels."""
    makers: dict[str, Callable[..., PixelStep]] = {
        kind.slug: kind for kind in (LanczosUpscale, Fit, Stretch)
    }
    steps = []
    for facts in recipe.postproduction:
        if facts.step not in makers:
            return None
        try:
            step = makers[facts.step](**dict(facts.parameters))
        except (TypeError, ValueError):
            return None
        if step.version != facts.version:
            return None
        steps.append(step)
    return steps


STEP = Step("replay", run, weight=10, takes=(), gives="comparison")
