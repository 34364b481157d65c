"""What a plan says beyond words: pictures to change or to follow, adapters, the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from imagepipe.generation.request import Mode
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import conditions, styles
from imagepipe.workflow.abilities import abilities, obstacle
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.exceptions import InvalidBrief

if TYPE_CHECKING:
    from imagepipe.workflow.briefs import Brief


def beyond_words(
    brief: Brief, model: RegisteredModel
) -> tuple[Edit | None, dict[str, Any]]:
    """Return the checked edit, and what the plan says of pictures and adapters.

    Raises ``InvalidBrief`` with the reason for what the model cannot do. The engine is asked
    only where something beyond words is wanted.
    """
    wanted = (brief.edit, brief.controls, brief.adapters, brief.scheduler, brief.style)
    if not any(wanted):
        return None, {}
    can = abilities(model)
    if brief.scheduler and brief.scheduler not in can.schedulers:
        raise InvalidBrief(
            _("“%(model)s” does not know the scheduler “%(scheduler)s”.")
            % {"model": model, "scheduler": brief.scheduler[:60]},
            "scheduler",
        )
    beyond: dict[str, Any] = {
        "controls": conditions.controls(brief.controls, model, can),
        "adapters": conditions.adapters(brief.adapters, model, can),
    }
    if brief.style is not None:
        mode = brief.edit.mode if brief.edit else Mode.TEXT_TO_IMAGE
        beyond |= styles.applied(brief.style, model, can, mode)
    if brief.edit is None:
        return None, beyond
    edit = brief.edit.check()
    if not edit.ground and (reason := obstacle(model, edit.mode)):
        raise InvalidBrief(reason, "model")
    if brief.controls and edit.mode != Mode.IMAGE_TO_IMAGE:
        raise InvalidBrief(
            _("A control picture cannot guide a part of a picture. Leave it out."), "control"
        )
    return edit, beyond | {
        "mode": str(edit.mode),
        "strength": edit.strength,
        "source": edit.source.sha256,
        "source_type": edit.source.source_type(by_model=not edit.ground),
        "canvases": edit.canvases(model),
    }
