"""Public addresses; include them before Wagtail's own, which match everything."""

from __future__ import annotations

from django.urls import path

from imagepipe.seo.sitemaps import image_sitemap, image_sitemap_section

app_name = "imagepipe"
urlpatterns = [
    path("sitemap-images.xml", image_sitemap, name="image_sitemap"),
    path(
        "sitemap-images-<int:number>.xml", image_sitemap_section, name="image_sitemap_section"
    ),
]
