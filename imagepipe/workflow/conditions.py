"""What guides a model beside words: control pictures and adapters, by registered models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.detectors import computed_kinds
from imagepipe.generation.request import CONTROL_KINDS, MAX_ADAPTERS, MAX_CONTROLS
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.source_pictures import SourcePicture

ADAPTERS = {Kind.LORA.value: "lora", Kind.EMBEDDING.value: "textual-inversion"}
"""Kinds of registered models that are adapters, as backends call them."""
MAX_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class ControlWish:
    """A picture to follow, with the model (slug) that reads it.

    ``computed``: edges are found in the picture first; else it is a control picture itself.
    ``start`` and ``end`` are shares of the steps, 0 to 1.
    """

    model: str
    source: SourcePicture
    computed: bool = True
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True, slots=True)
class AdapterWish:
    """A LoRA or an embedding (slug) with its weight, −2 to 2."""

    model: str
    weight: float = 1.0


def control_kind(model: RegisteredModel) -> str:
    """What a ControlNet follows: its default “control”, else the kind that its name holds."""
    said = model.defaults.get("control") if isinstance(model.defaults, dict) else None
    if isinstance(said, str) and said:
        return said
    return next((kind for kind in CONTROL_KINDS if kind in model.slug), "")


def fits(companion: RegisteredModel, model: RegisteredModel) -> bool:
    """Whether weights were made for the family of a model; unknown families are tried."""
    return not companion.family or not model.family or companion.family == model.family


def companions(kinds: tuple[str, ...]) -> list[RegisteredModel]:
    """Allowed models of these kinds."""
    return list(
        RegisteredModel.objects.filter(kind__in=kinds, state=RegisteredModel.State.ALLOWED)
    )


def controls(
    wishes: tuple[ControlWish, ...], model: RegisteredModel, can: Capabilities
) -> tuple[dict[str, Any], ...]:
    """Parameters of the steps that make and use the pictures. Raises ``InvalidBrief``."""
    if wishes and not can.supports_controls:
        raise InvalidBrief(
            _("“%(model)s” cannot follow control pictures.") % {"model": model}, "control"
        )
    if len(wishes) > MAX_CONTROLS:
        raise InvalidBrief(
            _("At most %(limit)d control pictures are possible.") % {"limit": MAX_CONTROLS},
            "control",
        )
    found = []
    for index, wish in enumerate(wishes):
        try:
            found.append(_control(wish, model, can))
        except InvalidBrief as error:
            error.index = index
            raise
    return tuple(found)


def _control(wish: ControlWish, model: RegisteredModel, can: Capabilities) -> dict[str, Any]:
    found = _companion(wish.model, (Kind.CONTROLNET.value,), model, "control")
    kind = control_kind(found)
    if not kind or (can.control_kinds and kind not in can.control_kinds):
        raise InvalidBrief(
            _(
                "What “%(model)s” follows is not known. Register it under a short name that "
                "holds one of: %(kinds)s."
            )
            % {"model": found, "kinds": ", ".join(can.control_kinds or CONTROL_KINDS)},
            "control",
        )
    if wish.computed and kind not in computed_kinds():
        raise InvalidBrief(
            _("A picture of the kind “%(kind)s” cannot be computed. Give one that is ready.")
            % {"kind": kind},
            "control_ready",
        )
    wish.source.check("control_picture")
    _weigh(wish.weight, 0, "control_weight")
    if not (0 <= wish.start < wish.end <= 1):
        raise InvalidBrief(
            _("A control picture starts before it ends, both from 0 to 1."), "control_start"
        )
    return {
        "kind": kind,
        "source": wish.source.sha256,
        "computed": wish.computed,
        "model": weights_of(found),
        "weight": float(wish.weight),
        "start": float(wish.start),
        "end": float(wish.end),
    }


def adapters(
    wishes: tuple[AdapterWish, ...], model: RegisteredModel, can: Capabilities
) -> tuple[dict[str, Any], ...]:
    """The adapters as a backend takes them. Raises ``InvalidBrief``."""
    if wishes and not can.supports_adapters:
        raise InvalidBrief(
            _("“%(model)s” cannot use adapters.") % {"model": model}, "adapters"
        )
    if len(wishes) > MAX_ADAPTERS or len({wish.model for wish in wishes}) < len(wishes):
        raise InvalidBrief(
            _("At most %(limit)d adapters, each once, are possible.")
            % {"limit": MAX_ADAPTERS},
            "adapters",
        )
    return tuple(_adapter(wish, model) for wish in wishes)


def _adapter(wish: AdapterWish, model: RegisteredModel) -> dict[str, Any]:
    found = _companion(wish.model, tuple(ADAPTERS), model, "adapters")
    _weigh(wish.weight, -MAX_WEIGHT, "adapters")
    return {
        "slug": found.slug,
        "location": found.location,
        "kind": ADAPTERS[found.kind],
        "weight": float(wish.weight),
        "sha256": found.sha256,
    }


def _companion(
    slug: str, kinds: tuple[str, ...], model: RegisteredModel, field: str
) -> RegisteredModel:
    found = next((one for one in companions(kinds) if one.slug == slug), None)
    if found is None:
        raise InvalidBrief(
            _("The model “%(model)s” is not allowed for production. Choose another one.")
            % {"model": slug[:80]},
            field,
        )
    if not fits(found, model):
        raise InvalidBrief(
            _("“%(companion)s” was made for other models than “%(model)s”.")
            % {"companion": found, "model": model},
            field,
        )
    return found


def _weigh(weight: float, lowest: float, field: str) -> None:
    if not math.isfinite(weight) or not lowest <= weight <= MAX_WEIGHT:
        raise InvalidBrief(
            _("A weight is a number from %(lowest)g to %(highest)g.")
            % {"lowest": lowest, "highest": MAX_WEIGHT},
            field,
        )


def weights_of(model: RegisteredModel) -> dict[str, str]:
    """A model as the parameters of steps name it."""
    return {
        "slug": model.slug,
        "location": model.location,
        "family": model.family,
        "sha256": model.sha256,
    }
