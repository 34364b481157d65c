from __future__ import annotations

from django.urls import include, path
from wagtail.api.v3.urls import api

urlpatterns = [path("api/v3/", api.urls), path("", include("website.urls"))]
