"""The built-in graph “bulk-alt-text”: suggestions for many pictures, through the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.permissions import policy_registry

from imagepipe.actions.base import Action
from imagepipe.assets.models import Asset
from imagepipe.exceptions import InvalidState
from imagepipe.seo.alt_text import captioner
from imagepipe.seo.alt_text.actions import KeepSuggestions
from imagepipe.seo.alt_text.suggesting import suggest
from imagepipe.workflow import jobs, leases
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.models import Run
from imagepipe.workflow.steps.registry import Step

NAME = "bulk-alt-text"
KIND = "alt-text"


def prepare(assets: QuerySet[Asset], languages: Sequence[str]) -> Run:
    """Return an unsaved run over these assets, at most ``jobs.MOST`` of them.

    Raises ``InvalidState`` where there is nothing to do.
    """
    uids = [uid.hex for uid in assets.values_list("uid", flat=True)[: jobs.MOST]]
    if not uids or not languages:
        raise InvalidState(_("No picture needs a suggestion."))
    graph = jobs.build(KIND, uids, {"languages": list(languages)})
    title = ngettext(
        "Alternative texts for %(count)d picture",
        "Alternative texts for %(count)d pictures",
        len(uids),
    ) % {"count": len(uids)}
    return Run(
        title=title,
        graph=graph.to_dict(),
        graph_sha256=graph.sha256,
        request={"job": NAME, "items": len(uids), "languages": list(languages)},
        priority=-50,
    )


class StartSuggestions(Action[Run, Run]):
    """Queue a run of :func:`prepare`; each picture is asked about again when its turn comes."""

    action_name = "imagepipe.alt_text.start"
    permission_policy_action = "change"

    def perform(self) -> Run:
        run = self.instance
        if run.pk is not None:
            raise InvalidState(_("The run was started already."))
        queue_run(run, self.user)
        self.audit_data = {
            "job": NAME,
            "pictures": run.request["items"],
            "languages": run.request["languages"],
        }
        return run


def run_step(context: StepContext) -> dict[str, Any]:
    """Suggest for each asset; what is there already and unchanged is not made again.

    Every picture is a transaction of its own, so nothing is lost when the worker is.
    """
    params = context.node.params
    languages, uids = params["languages"], params["assets"]
    asked_by = context.run.created_by
    captioners = captioner.captioners()
    count = {"suggested": 0, "nothing": 0, "reused": 0, "refused": 0}
    for done, uid in enumerate(uids):
        context.check()
        context.report(
            done / len(uids),
            _("Describing picture %(number)d of %(count)d")
            % {"number": done + 1, "count": len(uids)},
        )
        asset = Asset.objects.select_related("published_version", "image").get(uid=uid)
        if not _may_change(asset, asked_by):
            count["refused"] += 1
            continue
        outcome = suggest(asset, languages, captioners)
        if outcome is None:
            count["nothing"] += 1
        elif not outcome.made:
            count["reused"] += 1
        else:
            leases.renew(context.run.pk, context.lease.owner)
            found = KeepSuggestions(asset, asked_by, outcome=outcome).execute()
            count["suggested" if found else "nothing"] += 1
    return count


def _may_change(asset: Asset, user: AbstractBaseUser | None) -> bool:
    """Rights may have been taken away since the run was started."""
    return user is None or bool(
        user.is_active
        and policy_registry.get(asset).user_has_permission_for_instance(user, "change", asset)
    )


STEP = Step(KIND, run_step, takes=())
