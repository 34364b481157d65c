"""What the site tells everybody about a published picture: its information, its licence."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from imagepipe.assets.models import Asset
from imagepipe.delivery.alternatives import choose_alt
from imagepipe.delivery.documents import is_current
from imagepipe.delivery.markup import picture_html
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.presets import UnknownPreset, get_preset
from imagepipe.seo.picture_information import picture_information
from imagepipe.seo.public_pages import licence_url
from imagepipe.urlspec import InvalidTransform

SECONDS = 60
"""How long caches may keep what is said here, unless the rights end sooner."""
SIZES = "(min-width: 44rem) 42rem, calc(100vw - 2rem)"
"""Of the picture on the licence page, as its style sheet has it."""
LONGEST_NUMBER = 5
"""Digits of a width or height that is asked for."""
Document = Mapping[str, Any]


@require_safe
def picture_information_view(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """JSON; 404 for what was never published, 410 for what was and is not any more."""
    asset, document = _find(uid)
    now = timezone.now().timestamp()
    if not is_current(document, now):
        return _gone_json(asset)
    try:
        preset = get_preset(request.GET.get("preset", "content"))
        most = tuple(_number(request.GET.get(name, "")) for name in ("maxwidth", "maxheight"))
    except (UnknownPreset, InvalidTransform, ValueError):
        message = _("There is no such preset or size.")
        return _open(JsonResponse({"detail": message}, status=400))
    age = _age(document, now)
    told = picture_information(
        document,
        preset,
        licence_page=licence_url(asset.uid.hex, request),
        cache_age=SECONDS,
        most=most,
    )
    content = json.dumps(told, ensure_ascii=False).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={age}"
    response["X-Content-Type-Options"] = "nosniff"
    return _open(get_conditional_response(request, etag=etag, response=response) or response)


@require_safe
def picture_licence_view(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The terms of a picture, for people."""
    asset, document = _find(uid)
    now = timezone.now().timestamp()
    shown = is_current(document, now)
    context = {
        "title": document.get("title") or asset.title,
        "withdrawn": asset.withdrawn_at is not None or not document.get("published"),
        "is_shown": shown,
        "valid_until": _moment(document.get("valid_until")),
        "document": document,
        "terms": document.get("rights") or {},
        "picture": _picture(document) if shown else "",
    }
    response = render(request, "imagepipe/licence.html", context, status=200 if shown else 410)
    response["Cache-Control"] = f"public, max-age={_age(document, now) if shown else 0}"
    return response


def _find(uid: uuid.UUID) -> tuple[Asset, Document]:
    """The picture, if it is published or was withdrawn. Raises Http404."""
    asset = Asset.objects.select_related("publication").filter(uid=uid).first()
    document = getattr(asset, "publication", None) and asset.publication.document
    if asset is None or not document:
        raise Http404
    if not document.get("published") and asset.withdrawn_at is None:
        raise Http404
    return asset, document


def _moment(seconds: int | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def _picture(document: Document) -> str:
    alt = choose_alt(document["alt"], get_language() or settings.LANGUAGE_CODE)
    text = alt or document["title"]
    return picture_html(document, Presentation(get_preset("content"), text, sizes=SIZES))


def _age(document: Document, now: float) -> int:
    end = document.get("valid_until")
    return SECONDS if end is None else max(0, min(SECONDS, int(end - now)))


def _gone_json(asset: Asset) -> HttpResponse:
    if asset.withdrawn_at is not None:
        message = _("This picture was withdrawn.")
    else:
        message = _("The rights to show this picture do not hold now.")
    response = JsonResponse({"detail": message}, status=410)
    response["Cache-Control"] = "no-store"
    return _open(response)


def _number(text: str) -> int | None:
    """Raises ValueError."""
    if not text:
        return None
    if len(text) > LONGEST_NUMBER or not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _open(response: Any) -> HttpResponse:
    """Scripts of other sites may read it: it is public."""
    response["Access-Control-Allow-Origin"] = "*"
    result: HttpResponse = response
    return result
