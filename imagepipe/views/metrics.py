"""Figures for Prometheus, for those who know the token."""

from __future__ import annotations

import hmac

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imagepipe.conf import get_settings
from imagepipe.observability.exposition import CONTENT_TYPE, render
from imagepipe.workflow.queue_figures import figures


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 without ``IMAGEPIPE["METRICS_TOKEN"]``, 401 without ``Authorization: Bearer …``."""
    token = get_settings().METRICS_TOKEN
    if not token:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    text = render(
        (figure.name, figure.help, figure.labels, figure.value) for figure in figures()
    )
    return HttpResponse(text, content_type=CONTENT_TYPE)
