"""Public addresses; include them before Wagtail's own, which match everything."""

from __future__ import annotations

from django.urls import path

from imagepipe.seo.sitemaps import image_sitemap
from imagepipe.views.metrics import metrics

app_name = "imagepipe"
urlpatterns = [
    path("imagepipe/metrics", metrics, name="metrics"),
    path("sitemap-images.xml", image_sitemap, name="image_sitemap"),
]
