"""Which fields of the Generate form an engine cannot follow, and why."""

from __future__ import annotations

from django.utils.translation import gettext as _

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.request import Mode


def unsupported(capabilities: Capabilities) -> dict[str, str]:
    """Return the reason for each field that has no effect or would be refused."""
    found = {}
    for field, possible, reason in (
        ("seed", capabilities.supports_seed,
         _("Not reproducible: this engine takes no seed, no picture can be made twice.")),
        ("negative", capabilities.supports_negative,
         _("This engine does not understand what must not appear.")),
        ("steps", capabilities.supports_steps, _("This engine chooses its steps itself.")),
        ("guidance", capabilities.supports_guidance, _("This engine has no guidance.")),
        ("scheduler", bool(capabilities.schedulers), _("This engine has no schedulers.")),
        ("strength", capabilities.supports_strength,
         _("This engine decides itself how far it changes a picture.")),
        ("controls", capabilities.supports_controls,
         _("This engine cannot use control pictures.")),
        ("adapters", capabilities.supports_adapters, _("This engine cannot use adapters.")),
        ("references", capabilities.supports_references,
         _("This engine cannot use reference pictures.")),
        ("init_image", Mode.IMAGE_TO_IMAGE in capabilities.modes,
         _("This engine cannot start from a picture.")),
        ("mask", Mode.INPAINT in capabilities.modes,
         _("This engine cannot repaint a part of a picture.")),
    ):  # fmt: skip
        if not possible:
            found[field] = reason
    return found
