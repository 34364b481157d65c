"""Has published pictures written again: new grants, signatures and, if asked for, crops."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from imagepipe.assets.models import Asset
from imagepipe.delivery import scenes
from imagepipe.delivery.models import Publication
from imagepipe.delivery.outbox import request_publication
from imagepipe.workflow import leases
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    """Ask once for each asset, by the generation that it had when the run was planned.

    One that has had another since, from this run before a crash or from anybody, is passed.
    """
    pairs = context.node.params["assets"]
    count = {"requested": 0, "newer": 0, "gone": 0}
    for done, (uid, generation) in enumerate(pairs):
        context.check()
        context.report(
            done / len(pairs),
            _("Publishing picture %(number)d of %(count)d")
            % {"number": done + 1, "count": len(pairs)},
        )
        count[_publish_again(context, uid, generation)] += 1
    return count


def _publish_again(context: StepContext, uid: str, generation: int) -> str:
    with transaction.atomic():
        leases.renew(context.run.pk, context.lease.owner)
        assets = Asset.objects.select_for_update(of=("self",)).select_related(
            "published_version"
        )
        asset = assets.get(uid=uid)
        publication = Publication.objects.select_for_update().filter(asset=asset).first()
        if publication is None or not publication.desired or asset.published_version is None:
            return "gone"
        if publication.desired != generation:
            return "newer"
        if context.node.params["crops"]:
            scenes.forget_scene(asset.published_version.sha256)
        request_publication(asset)
    return "requested"


STEP = Step("republish", run, takes=())
