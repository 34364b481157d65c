"""Masks and control pictures that were used before: found by meaning, shown, used again."""

from __future__ import annotations

import io
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from PIL import Image

from imagepipe.assets import thumbnails
from imagepipe.assets.inspection import MIME_TYPES
from imagepipe.retrieval.guides import search_guides
from imagepipe.retrieval.search import MAX_QUERY
from imagepipe.views.access import may, visible_runs
from imagepipe.views.pictures import JPEG, picture_response
from imagepipe.workflow import blobs
from imagepipe.workflow.exceptions import LostWork
from imagepipe.workflow.guide_models import Guide

SHORTEST = 3
LIMIT = 4
LARGEST_KEY = 2**31


@dataclass(frozen=True)
class SuggestedGuide:
    """One of them as the list shows it."""

    guide: Guide
    title: str
    picture_url: str
    thumbnail_url: str
    run_url: str


def visible_guides(user: AbstractBaseUser) -> QuerySet[Guide]:
    return Guide.objects.filter(run__in=visible_runs(user)).select_related("run")


def open_guide(user: AbstractBaseUser, key: str) -> Guide | None:
    """The guide of that key, if the person may see it."""
    if not key.isascii() or not key.isdecimal() or len(key) > 9:
        return None
    return visible_guides(user).filter(pk=int(key)).first()


def guides_near(
    user: AbstractBaseUser, text: str, *kinds: str, shape: tuple[int, int] | None = None
) -> list[SuggestedGuide]:
    """What the person may see of these kinds, nearest first; nothing for hardly any words."""
    if len(text) < SHORTEST:
        return []
    found = search_guides(text, visible_runs(user), kinds, shape=shape, limit=LIMIT)
    return [_suggested(one.guide) for one in found]


def _suggested(guide: Guide) -> SuggestedGuide:
    return SuggestedGuide(
        guide,
        guide.run.title,
        reverse("imagepipe_admin:guide_picture", args=[guide.pk]),
        reverse("imagepipe_admin:guide_thumbnail", args=[guide.pk]),
        reverse("imagepipe_admin:run", args=[guide.run.uid]),
    )


@never_cache
@require_safe
def masks_near(request: HttpRequest) -> HttpResponse:
    """Masks for what was typed (``q``), of a shape (``width``, ``height``)."""
    if not may(request.user, "generate"):
        raise PermissionDenied
    text = " ".join(request.GET.get("q", "")[:MAX_QUERY].split())
    sides = [request.GET.get(name, "") for name in ("width", "height")]
    if not all(side.isascii() and side.isdecimal() and len(side) < 6 for side in sides):
        raise Http404
    shape = int(sides[0]), int(sides[1])
    found = guides_near(request.user, text, str(Guide.Kind.MASK), shape=shape)
    context = {"guides": found, "asked": text}
    return render(request, "imagepipe/studio/includes/masks_near.html", context)


@require_safe
def guide_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The bytes, whole; 404 for what the person may not see."""
    guide = _visible(request, pk)
    try:
        content = blobs.read(guide.sha256)
        with Image.open(io.BytesIO(content)) as image:
            mime = MIME_TYPES.get(image.format or "", "")
    except (LostWork, OSError) as error:
        raise Http404 from error
    return picture_response(content, mime)


@require_safe
def guide_thumbnail(request: HttpRequest, pk: int) -> HttpResponse:
    guide = _visible(request, pk)
    try:
        content = thumbnails.read(guide.sha256, blobs.read)
    except LostWork as error:
        raise Http404 from error
    return picture_response(content, JPEG)


def _visible(request: HttpRequest, pk: int) -> Guide:
    if pk >= LARGEST_KEY:
        raise Http404
    return get_object_or_404(visible_guides(request.user), pk=pk)
