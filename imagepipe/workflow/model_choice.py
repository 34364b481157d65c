"""Which registered model makes the pictures: by purpose, and whether it may be used."""

from __future__ import annotations

from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.exceptions import InvalidBrief

IDEATION, PRODUCTION = "ideation", "production"
PURPOSES = (IDEATION, PRODUCTION)


def routed(purpose: str | None) -> RegisteredModel | None:
    """Return the model of ``IMAGEPIPE["ROUTES"]`` for a purpose; None stands for production.

    Raises ``InvalidBrief`` for a purpose that does not exist.
    """
    purpose = purpose or PRODUCTION
    if purpose not in PURPOSES:
        raise InvalidBrief(_("This purpose is unknown."), "purpose")
    slug = get_settings().ROUTES.get(purpose)
    if slug is None:
        return None
    return RegisteredModel.objects.filter(slug=slug).first()


def usable_model(model: RegisteredModel | None) -> RegisteredModel:
    """Return the model if it may be used. Raises ``InvalidBrief``."""
    if model is None:
        raise InvalidBrief(_("Choose a model: neither form nor template names one."), "model")
    if model.kind != Kind.CHECKPOINT:
        raise InvalidBrief(
            _("“%(model)s” makes no pictures by itself. Choose a checkpoint.")
            % {"model": model},
            "model",
        )
    if model.state != RegisteredModel.State.ALLOWED:
        raise InvalidBrief(
            _("The model “%(model)s” is not allowed for production. Choose another one.")
            % {"model": model},
            "model",
        )
    return model
