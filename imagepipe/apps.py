from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImagepipeConfig(AppConfig):
    name = "imagepipe"
    label = "imagepipe"
    verbose_name = _("Imagepipe")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from imagepipe import checks, permissions, signal_handlers, subscribers  # noqa: F401

        permissions.register()
        signal_handlers.register_signal_handlers()
        subscribers.register()
