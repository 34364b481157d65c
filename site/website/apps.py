from __future__ import annotations

from django.apps import AppConfig


class WebsiteConfig(AppConfig):
    name = "website"
    verbose_name = "Reference site"
    default_auto_field = "django.db.models.BigAutoField"
