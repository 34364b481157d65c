"""The built-in graph “republish”: the publication of many assets, written again."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from imagepipe.actions.base import Action
from imagepipe.assets.models import Asset
from imagepipe.exceptions import InvalidState
from imagepipe.workflow import jobs
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.models import Run

NAME = "republish"


def prepare(assets: QuerySet[Asset], *, crops: bool = False) -> Run:
    """Return an unsaved run over those of ``assets`` that are published.

    ``crops``: faces, subject and what stands in while loading are looked for anew. Raises
    ``InvalidState`` where nothing is published.
    """
    published = assets.filter(published_version__isnull=False, publication__desired__gt=0)
    rows = published.order_by("pk").values_list("uid", "publication__desired")[: jobs.MOST]
    pairs = [[uid.hex, generation] for uid, generation in rows]
    if not pairs:
        raise InvalidState(_("None of these pictures is published."))
    graph = jobs.build(NAME, pairs, {"crops": crops})
    title = ngettext(
        "Publish %(count)d picture again", "Publish %(count)d pictures again", len(pairs)
    ) % {"count": len(pairs)}
    return Run(
        title=title,
        graph=graph.to_dict(),
        graph_sha256=graph.sha256,
        request={"job": NAME, "items": len(pairs), "crops": crops},
        priority=-50,
    )


class Republish(Action[Run, Run]):
    """Queue a run of :func:`prepare`."""

    action_name = "imagepipe.republish"
    permission_policy_action = "publish"

    def perform(self) -> Run:
        run = self.instance
        if run.pk is not None:
            raise InvalidState(_("The run was started already."))
        queue_run(run, self.user)
        self.audit_data = {"job": NAME, "pictures": run.request["items"]}
        return run
