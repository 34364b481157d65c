from __future__ import annotations

from django.apps import AppConfig


class FieldsTestConfig(AppConfig):
    name = "tests.fields"
    label = "imagepipe_fields"
    default_auto_field = "django.db.models.BigAutoField"
