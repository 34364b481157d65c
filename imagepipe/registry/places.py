"""From where people may register models without the command line."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.exceptions import ImagepipeError
from imagepipe.registry import hub


class PlaceNotAllowed(ImagepipeError):
    """The settings do not name the place of a model."""

    code = "place-not-allowed"


def check_place(source: str) -> None:
    """Raise unless ``MODEL_FOLDERS`` holds the folder, or ``HUB_MODELS`` names the id.

    Links are followed, so this has to be asked on the machine where the folder is. Raises
    :class:`PlaceNotAllowed` and :class:`imagepipe.registry.hub.HubRefused`.
    """
    path = Path(source)
    if not path.is_absolute():
        hub.check_allowed(source)
        return
    roots = [Path(root).expanduser().resolve() for root in get_settings().MODEL_FOLDERS]
    found = path.resolve()
    if not any(found.is_relative_to(root) and found != root for root in roots):
        raise PlaceNotAllowed(
            _(
                "The folder is not below one that the setting MODEL_FOLDERS names. Put the "
                "model there, or register it with “manage.py imagepipe register-model”."
            )
        )


def any_place() -> bool:
    """Whether the settings name any place at all."""
    settings = get_settings()
    return bool(settings.MODEL_FOLDERS or settings.HUB_MODELS)
