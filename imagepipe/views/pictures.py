"""Private pictures for those who may see them: previews, candidates, masters, thumbnails.

Never cached where others could read them, never interpreted as anything but a picture, and
not there at all (404) for everybody else.
"""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from imagepipe.assets import masters, thumbnails
from imagepipe.assets.inspection import MIME_TYPES
from imagepipe.assets.models import AssetVersion
from imagepipe.conf import get_settings
from imagepipe.views.access import visible_assets, visible_candidates, visible_runs
from imagepipe.workflow import blobs
from imagepipe.workflow.exceptions import LostWork
from imagepipe.workflow.production import MAX_CANDIDATES

JPEG = "image/jpeg"


@require_safe
def candidate_picture(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The candidate's master, whole."""
    candidate = get_object_or_404(visible_candidates(request.user), uid=uid)
    try:
        content = blobs.read(candidate.sha256)
    except LostWork as error:
        raise Http404(str(error)) from error
    return picture_response(content, candidate.mime)


@require_safe
def candidate_thumbnail(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """A small picture of a candidate, for listings."""
    candidate = get_object_or_404(visible_candidates(request.user), uid=uid)
    try:
        content = thumbnails.read(candidate.sha256, blobs.read)
    except LostWork as error:
        raise Http404(str(error)) from error
    return picture_response(content, JPEG)


@require_safe
def candidate_preview(request: HttpRequest, uid: uuid.UUID, index: int) -> HttpResponse:
    """The latest look at a candidate in the making."""
    run = get_object_or_404(visible_runs(request.user), uid=uid)
    if index >= MAX_CANDIDATES:
        raise Http404
    try:
        with get_settings().private_storage.open(
            blobs.preview_name(run.uid.hex, index)
        ) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise Http404 from error
    return picture_response(content, JPEG)


@require_safe
def version_picture(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    """The master of a version, whole."""
    version = _version(request, uid, number)
    try:
        content = masters.read(version.sha256)
    except FileNotFoundError as error:
        raise Http404 from error
    return picture_response(content, version.mime)


@require_safe
def version_thumbnail(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    """A small picture of a version, for listings."""
    version = _version(request, uid, number)
    try:
        content = thumbnails.read(version.sha256)
    except FileNotFoundError as error:
        raise Http404 from error
    return picture_response(content, JPEG)


def _version(request: HttpRequest, uid: uuid.UUID, number: int) -> AssetVersion:
    return get_object_or_404(
        AssetVersion, asset__in=visible_assets(request.user), asset__uid=uid, number=number
    )


def picture_response(content: bytes, mime: str) -> HttpResponse:
    """The bytes, as a picture and nothing else; permission is asked for every time."""
    if mime not in MIME_TYPES.values():
        raise Http404
    return HttpResponse(
        content,
        content_type=mime,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )
