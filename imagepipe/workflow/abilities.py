"""What a registered model can do with its engine, and in words why not."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.exceptions import ImagepipeError
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.request import Mode, ModelReference
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.steps.generate import get_backend

HERE = ("fake", "diffusers")

WORDS: Mapping[str, Promise] = {
    Mode.IMAGE_TO_IMAGE: gettext_lazy("start from a picture"),
    Mode.INPAINT: gettext_lazy("make a part of a picture anew"),
    Mode.OUTPAINT: gettext_lazy("extend a picture"),
}


def reference(model: RegisteredModel) -> ModelReference:
    return ModelReference(model.slug, model.location, model.family, model.sha256)


def abilities(model: RegisteredModel) -> Capabilities:
    """What the model can do. Raises ``InvalidBrief`` when it cannot be used at all."""
    try:
        return get_backend(model.backend).capabilities(reference(model))
    except ImagepipeError as error:
        raise InvalidBrief(
            _("The model “%(model)s” cannot be used: %(reason)s")
            % {"model": model, "reason": error},
            "model",
        ) from error


def abilities_if_known(model: RegisteredModel) -> Capabilities | None:
    """Return them; None when the engine does not answer or the model cannot be used.

    An engine elsewhere is asked at most every few minutes, and for seconds at most.
    """
    try:
        return abilities(model)
    except InvalidBrief:
        return None


def fixed_sizes(model: RegisteredModel) -> tuple[tuple[int, int], ...]:
    """Return the only sizes that an engine elsewhere makes; empty when it makes any."""
    can = None if model.backend in HERE else abilities_if_known(model)
    return can.native_sizes if can and can.only_native_sizes else ()


def obstacle(model: RegisteredModel, mode: str) -> str:
    """Why the model cannot work in this mode; empty where it can."""
    try:
        modes = abilities(model).modes
    except InvalidBrief as error:
        return str(error)
    if mode in modes:
        return ""
    return _("“%(model)s” cannot %(what)s.") % {"model": model, "what": WORDS[mode]}
