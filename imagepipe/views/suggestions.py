"""What was made before and means what is typed now: for the form of *Generate*."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imagepipe.assets.models import AssetVersion
from imagepipe.retrieval.search import MAX_QUERY, search
from imagepipe.views.access import may, visible_assets, visible_candidates
from imagepipe.views.guides import SHORTEST, guides_near
from imagepipe.workflow.guide_models import Guide
from imagepipe.workflow.styles import usable_styles

LIMIT = 6
TITLE_LENGTH = 255


@dataclass(frozen=True)
class Suggestion:
    """One picture as the list shows it; empty addresses: not possible."""

    version: AssetVersion
    key: str
    prompt: str
    picture_url: str
    page_url: str
    brief_url: str
    style: int | None


@never_cache
@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """The list for what was typed (``q``), of pictures that the person may see."""
    if not may(request.user, "generate"):
        raise PermissionDenied
    text = " ".join(request.GET.get("q", "")[:MAX_QUERY].split())
    found = []
    guides = guides_near(request.user, text, *Guide.Kind.values)
    if len(text) >= SHORTEST:
        hits = search(text, visible_assets(request.user), LIMIT)
        versions = [hit.version for hit in hits]
        title = request.GET.get("title", "")[:TITLE_LENGTH]
        found = _suggestions(request.user, versions, title)
    context = {"found": found, "guides": guides, "asked": text}
    return render(request, "imagepipe/studio/includes/suggestions.html", context)


def _suggestions(
    user: AbstractBaseUser, versions: list[AssetVersion], title: str
) -> list[Suggestion]:
    candidates = visible_candidates(user).filter(version__in=versions)
    origin = dict(candidates.values_list("version", "uid"))
    styles = {style.version_id: style.pk for style in usable_styles(user)}
    found = []
    for version in versions:
        place: dict[str, Any] = {"args": [version.asset.uid, version.number]}
        query = urlencode({"like": origin.get(version.pk, ""), "title": title})
        generate = reverse("imagepipe_admin:generate")
        asset = reverse("imagepipe_admin:asset", args=[version.asset.uid])
        found.append(
            Suggestion(
                version=version,
                key=f"{version.asset.uid}/{version.number}",
                prompt=version.said or "",
                picture_url=reverse("imagepipe_admin:version_thumbnail", **place),
                page_url=f"{asset}?version={version.number}",
                brief_url=f"{generate}?{query}" if version.pk in origin else "",
                style=styles.get(version.pk),
            )
        )
    return found


def brief_values(user: AbstractBaseUser, like: str, title: str) -> dict[str, Any]:
    """What the form begins with after “Use its brief”: words and parameters, no seed.

    Nothing for a candidate that the person may not see.
    """
    try:
        uid = uuid.UUID(like)
    except ValueError:
        return {}
    candidate = visible_candidates(user).filter(uid=uid).first()
    if candidate is None:
        return {}
    asked, recipe = candidate.run.request, candidate.recipe
    values: dict[str, Any] = {"title": title or candidate.run.title}
    template = candidate.run.template
    if template is not None and template.live and asked.get("prompt") is None:
        values["template"] = template.pk
        values |= {f"variable_{name}": text for name, text in asked["variables"].items()}
    else:
        values |= {"template": "", "prompt": recipe.get("prompt")}
        values |= {"model": candidate.run.model_id}
    names = ("negative", "width", "height", "steps", "guidance", "scheduler", "profile")
    return values | {name: asked.get(name) for name in names if asked.get(name) is not None}
