"""What imagepipe adds to Wagtail's admin: wiring only."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from wagtail import hooks

from imagepipe import admin_urls


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLPattern | URLResolver]:
    return [path("imagepipe/", include(admin_urls, namespace="imagepipe_admin"))]


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, "imagepipe/studio/icons/imagepipe-studio.svg"]
