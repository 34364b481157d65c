"""Public addresses; include them before Wagtail's own, which match everything."""

from __future__ import annotations

from django.urls import path

from imagepipe.seo.sitemaps import image_sitemap, image_sitemap_section
from imagepipe.views.metrics import metrics
from imagepipe.views.public_pictures import picture_information_view, picture_licence_view

app_name = "imagepipe"
urlpatterns = [
    path("imagepipe/metrics", metrics, name="metrics"),
    path(
        "imagepipe/pictures/<uuid:uid>.json",
        picture_information_view,
        name="picture_information",
    ),
    path(
        "imagepipe/pictures/<uuid:uid>/licence/", picture_licence_view, name="picture_licence"
    ),
    path("sitemap-images.xml", image_sitemap, name="image_sitemap"),
    path(
        "sitemap-images-<int:number>.xml", image_sitemap_section, name="image_sitemap_section"
    ),
]
