"""Every public door that Wagtail knows, mounted as its documentation says."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path
from django.views.static import serve
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v3.urls import api
from wagtail.images import urls as wagtailimages_urls
from wagtail.images.api.v2.views import ImagesAPIViewSet

v2 = WagtailAPIRouter("wagtailapi")
v2.register_endpoint("images", ImagesAPIViewSet)


def media(request: HttpRequest, name: str) -> HttpResponseBase:
    return serve(request, name, document_root=settings.MEDIA_ROOT)


urlpatterns: list[Any] = [
    path("media/<path:name>", media),
    path("images/", include(wagtailimages_urls)),
    path("api/v2/", v2.urls),
    path("api/v3/", api.urls),
    path("", include("website.urls")),
]
