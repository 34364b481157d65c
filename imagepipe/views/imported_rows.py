"""What was understood of another tool's recipe, as rows for people."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.generation.interchange.foreign import ForeignRecipe

ROWS: tuple[tuple[str, str, Promise], ...] = (
    ("prompt", "prompt", gettext_lazy("Prompt")),
    ("negative_prompt", "negative", gettext_lazy("What must not appear")),
    ("seed", "seed", gettext_lazy("Seed")),
    ("width", "width", gettext_lazy("Width in pixels")),
    ("height", "height", gettext_lazy("Height in pixels")),
    ("steps", "steps", gettext_lazy("Steps")),
    ("guidance", "guidance", gettext_lazy("Guidance")),
    ("guidance_rescale", "guidance_rescale", gettext_lazy("Guidance rescale")),
    ("strength", "strength", gettext_lazy("Strength")),
)
"""Attribute of the recipe, field of the form, and what people call it."""
KINDS = {
    "lora": gettext_lazy("LoRA"),
    "hypernet": gettext_lazy("Hypernetwork"),
    "control": gettext_lazy("Control picture"),
    "reference": gettext_lazy("Style reference"),
}
PLAIN = {"strength": 1.0, "guidance_rescale": 0.0}
"""Values that say nothing."""


def taken_rows(recipe: ForeignRecipe, fields: Iterable[str]) -> list[tuple[str, str]]:
    """Label and value of everything that the form is filled in with."""
    known = set(fields)
    rows = [row for field, row in _rows(recipe) if field in known]
    return rows + (_sampler_rows(recipe) if _takes_sampler(recipe, known) else [])


def left_rows(recipe: ForeignRecipe, fields: Iterable[str]) -> list[tuple[str, str]]:
    """Label and value of everything that was read and has no place in the form."""
    known = set(fields)
    rows = [
        row
        for field, row in _rows(recipe)
        if field not in known and PLAIN.get(field, object()) != getattr(recipe, field, None)
    ]
    if not _takes_sampler(recipe, known):
        rows += _sampler_rows(recipe)
    rows += [
        (str(KINDS.get(one.kind, one.kind)), f"{one.name or '?'} ({one.weight:g})")
        for one in recipe.additions
    ]
    return rows + [(name, value) for name, value in recipe.left_over]


def _rows(recipe: ForeignRecipe) -> list[tuple[str, tuple[str, str]]]:
    values = ((field, label, getattr(recipe, name)) for name, field, label in ROWS)
    return [
        (field, (str(label), str(value)))
        for field, label, value in values
        if value not in (None, "")
    ]


def _takes_sampler(recipe: ForeignRecipe, fields: set[str]) -> bool:
    return recipe.scheduler is not None and "scheduler" in fields


def _sampler_rows(recipe: ForeignRecipe) -> list[tuple[str, str]]:
    if not recipe.sampler:
        return []
    if recipe.scheduler is None:
        return [(_("Sampler"), recipe.sampler)]
    text = _("%(theirs)s, here %(ours)s") % {
        "theirs": recipe.sampler,
        "ours": recipe.scheduler,
    }
    return [(_("Sampler"), text)]
