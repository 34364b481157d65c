"""Fetches a model, where it lies on a hub, looks at its files and enters it into the registry.

The person who started the run must be allowed to register models: a run is only a way to do it
on the machine where the files are.
"""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from imagepipe.registry import entries, places
from imagepipe.registry.actions import RegisterModel
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import StepFailed
from imagepipe.workflow.steps.registry import Step

PERMISSION = "imagepipe.add_registeredmodel"


class MayNotRegister(StepFailed):
    """Who started the run holds no right to register models, or no longer."""

    code = "not-permitted"


def run(context: StepContext) -> dict[str, Any]:
    user = context.run.created_by
    if user is None or not user.is_active or not user.has_perm(PERMISSION):
        raise MayNotRegister(_("Who asked for it may not register models."))
    entry = entries.Entry(**context.node.params)
    places.check_place(entry.source)
    context.report(0, _("Looking at the model"))

    def report(there: int, total: int) -> None:
        share = there / max(1, total)
        size = filesizeformat(total).replace("\xa0", " ")
        if context.report(0.9 * share, _("Fetching %(size)s from the hub") % {"size": size}):
            context.check()

    found = entries.read(entry, report)
    if not entry.is_on_hub:
        # Where the files really were: the folder could have become a link meanwhile.
        places.check_place(found.model.location)
    context.check()
    model = entries.existing(found.model) or RegisterModel(found.model, user).execute()
    return {"slug": model.slug, "sha256": model.sha256, "location": model.location}


STEP = Step("register-model", run)
