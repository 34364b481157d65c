"""Recipes for people and for machines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from imagepipe.assets.models import AssetVersion
from imagepipe.generation.canonical import canonical_json
from imagepipe.generation.exceptions import InvalidRecipe
from imagepipe.generation.interchange.writing import FORMS, exported
from imagepipe.generation.recipe import Recipe
from imagepipe.views.access import visible_assets
from imagepipe.views.sentences import in_reader_language

LABELS = {
    "prompt": gettext_lazy("Prompt"),
    "negative_prompt": gettext_lazy("What must not appear"),
    "seed": gettext_lazy("Seed"),
    "width": gettext_lazy("Width in pixels"),
    "height": gettext_lazy("Height in pixels"),
    "steps": gettext_lazy("Steps"),
    "guidance": gettext_lazy("Guidance"),
    "guidance_rescale": gettext_lazy("Guidance rescale"),
    "adapters": gettext_lazy("Adapters, control and reference pictures"),
    "model": gettext_lazy("Model"),
    "template": gettext_lazy("Prompt template"),
    "postproduction": gettext_lazy("Post-production"),
    "environment": gettext_lazy("Made on"),
    "warnings": gettext_lazy("Not as asked for"),
}
"""What the table shows, in this order; the JSON has everything."""


def recipe_rows(recipe: Any) -> list[tuple[str, str]]:
    """Label and value pairs of a recipe; empty values are left out."""
    if not isinstance(recipe, Mapping):
        return []
    rows = ((str(label), _text(name, recipe.get(name))) for name, label in LABELS.items())
    return [(label, text) for label, text in rows if text]


def _text(name: str, value: Any) -> str:
    if value in (None, "", [], {}, 0.0) and name != "seed":
        return ""
    if isinstance(value, Mapping):
        return "; ".join(_facts(name, value))
    if name == "warnings" and isinstance(value, list):
        return " ".join(in_reader_language(str(sentence)) for sentence in value)
    if isinstance(value, list):
        return ", ".join(_entry(entry) for entry in value)
    return str(value)


def _entry(entry: Any) -> str:
    """A step after generation by its name, an adapter also with its weight."""
    if not isinstance(entry, Mapping):
        return str(entry)
    if "kind" not in entry:
        return str(entry.get("step", entry))
    title = " ".join(filter(None, (str(entry["kind"]), str(entry.get("slug", "")))))
    return f"{title} ({entry.get('weight', 1)})"


def _facts(name: str, value: Mapping[str, Any]) -> Iterator[str]:
    if name == "model":
        yield str(value.get("slug", ""))
        if digest := str(value.get("sha256", "")):
            yield f"SHA-256 {digest[:12]}…"
    elif name == "template":
        yield str(value.get("slug", ""))
        variables = value.get("variables")
        if isinstance(variables, Mapping):
            yield from (f"{key} = {text}" for key, text in sorted(variables.items()))
    else:
        parts = (
            "backend", "backend_version", "scheduler", "precision", "device", "hardware",
            "platform",
        )  # fmt: skip
        yield from (str(value[part]) for part in parts if value.get(part))
        if threads := value.get("threads"):
            yield _("Threads: %(count)s") % {"count": threads}


def downloads(version: AssetVersion | None) -> list[tuple[str, str]]:
    """Label and address of every form in which a recipe can be taken away."""
    if version is None or version.recipe is None:
        return []
    address = reverse("imagepipe_admin:recipe", args=[version.asset.uid, version.number])
    return [
        (_("Download as JSON"), address),
        (_("Infotext (A1111)"), f"{address}?form=infotext"),
        (_("Workflow (ComfyUI)"), f"{address}?form=comfyui"),
    ]


@require_safe
def recipe_json(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    """A version's recipe: as canonical JSON, or with ``?form=`` as another tool reads it."""
    version = get_object_or_404(
        AssetVersion, asset__in=visible_assets(request.user), asset__uid=uid, number=number
    )
    if version.recipe is None:
        raise Http404(_("This version has no recipe."))
    form = request.GET.get("form", "json")
    if form not in FORMS:
        raise Http404
    mime, ending = FORMS[form]
    try:
        content = (
            canonical_json(version.recipe)
            if form == "json"
            else exported(Recipe.from_dict(version.recipe), form)
        )
    except InvalidRecipe as error:
        raise Http404(str(error)) from error
    response = HttpResponse(content, content_type=mime)
    response["Content-Disposition"] = (
        f'attachment; filename="recipe-{uid.hex}-{number}{ending}"'
    )
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
