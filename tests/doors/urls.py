"""Every public door that Wagtail knows: those of the reference site, and its serve view."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path
from django.views.static import serve
from wagtail.images import urls as wagtailimages_urls
from website.urls import urlpatterns as site


def media(request: HttpRequest, name: str) -> HttpResponseBase:
    return serve(request, name, document_root=settings.MEDIA_ROOT)


urlpatterns: list[Any] = [
    path("media/<path:name>", media),
    path("images/", include(wagtailimages_urls)),
    *site,
]
