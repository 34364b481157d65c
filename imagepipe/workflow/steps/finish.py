"""Turns pixels into a master: PNG with XMP and content credentials that tell the recipe."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from imagepipe import __version__
from imagepipe.generation.decoding import decode, parameters
from imagepipe.generation.recipe import PostProductionFacts, Recipe, TemplateFacts
from imagepipe.provenance.masters import seal_generated
from imagepipe.workflow import blobs, source_pictures
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import StepFailed
from imagepipe.workflow.steps.registry import Step


class MissingKeys(StepFailed):
    """There is no signing identity on this installation."""

    code = "missing-keys"


GENERATOR = f"imagepipe {__version__}"


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Marking the picture as generated"))
    picture = context.inputs["picture"]
    recipe = complete_recipe(picture, context.node.params["template"])
    content = blobs.read(picture["sha256"])
    try:
        sealed = _seal(context.node.params, content, recipe)
    except FileNotFoundError as error:
        raise MissingKeys(
            _(
                "Pictures cannot be signed: keys are missing. Run “manage.py imagepipe keys”."
            )
        ) from error
    context.check()
    return {
        "sha256": blobs.store(sealed),
        "width": picture["width"],
        "height": picture["height"],
        "bytes": len(sealed),
        "seed": recipe.seed,
        "recipe": recipe.to_dict(),
        "recipe_sha256": recipe.sha256,
        "warnings": picture["warnings"],
    }


def _seal(params: dict[str, Any], content: bytes, recipe: Recipe) -> bytes:
    """Mark it; one that was made from another picture names that as its parent."""
    origin = {}
    if "source_type" in params:
        origin = {
            "source_type": params["source_type"],
            "parent": source_pictures.read(params["source"]),
        }
    return seal_generated(
        content,
        title=params["title"],
        recipe_sha256=recipe.sha256,
        model_name=recipe.model.slug,
        generator=GENERATOR,
        **origin,
    )


def complete_recipe(picture: Any, template: dict[str, Any] | None) -> Recipe:
    """Return the recipe with the template and what was done to the pixels since."""
    data = dict(picture["recipe"])
    if template is not None:
        facts = TemplateFacts(
            template["slug"], template["version"], parameters(template["variables"])
        )
        data["template"] = {
            "slug": facts.slug,
            "version": facts.version,
            "variables": dict(facts.variables),
        }
    data["postproduction"] = [
        {"step": f.step, "version": f.version, "parameters": dict(f.parameters)}
        for f in (decode(PostProductionFacts, entry) for entry in picture["postproduction"])
    ]
    return Recipe.from_dict(data)


STEP = Step(
    "finish", run, weight=1, reusable=True, blobs=("sha256",),
    takes=(("picture", "picture"),),
    gives="master",
)
