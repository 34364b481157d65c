"""Replays: asking for one, and what came of it, beside the recipe and on the run's page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from wagtail.admin import messages

from imagepipe.assets.models import AssetVersion
from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import open_asset, visible_assets, visible_runs
from imagepipe.views.pictures import picture_response
from imagepipe.views.sentences import in_reader_language
from imagepipe.workflow import blobs, replay_reasons
from imagepipe.workflow.exceptions import LostWork
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.replay_actions import ReplayVersion
from imagepipe.workflow.verdicts import Verdict

ICONS = {
    Verdict.BIT_EXACT: "check",
    Verdict.PERCEPTUALLY_EQUAL: "check",
    Verdict.DIVERGED: "cross",
    Verdict.REFUSED: "warning",
}


@dataclass(frozen=True)
class ReplayReport:
    """A finished replay in words; ``picture_url`` is empty where no picture was kept."""

    run: Run
    verdict: str
    icon: str
    label: str
    reason: str
    measures: str
    differences: tuple[str, ...]
    picture_url: str
    original_url: str

    @property
    def sentence(self) -> str:
        return f"{self.label}. {self.reason}"


def report_of(run: Run) -> ReplayReport | None:
    """What came of a replay; None for another run, or while there is no verdict."""
    if run.replay_of_id is None or run.state != RunState.SUCCEEDED:
        return None
    output = run.steps.filter(kind="replay").values_list("output", flat=True).first()
    if not output:
        return None
    if refusal := output.get("refusal"):
        # Why an engine cannot follow was written down in English.
        output = output | {"refusal": refusal | {"name": in_reader_language(refusal["name"])}}
    verdict = Verdict(output["verdict"])
    picture = reverse("imagepipe_admin:replay_picture", args=[run.uid])
    version = run.replay_of
    place = [version.asset.uid, version.number]
    return ReplayReport(
        run=run,
        verdict=verdict,
        icon=ICONS[verdict],
        label=replay_reasons.label(output),
        reason=replay_reasons.reason(output),
        measures=replay_reasons.measures(output),
        differences=tuple(replay_reasons.differences(output)),
        picture_url=picture if "sha256" in output else "",
        original_url=reverse("imagepipe_admin:version_picture", args=place),
    )


def latest_replay(version: AssetVersion | None, user: AbstractBaseUser) -> Run | None:
    """The latest replay of a version that the person may see."""
    if version is None or version.recipe is None:
        return None
    runs = visible_runs(user).filter(replay_of=version)
    return runs.select_related("replay_of__asset").defer("graph").first()


@require_POST
def replay_version(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    """Queue a replay and lead to its page."""
    asset = open_asset(request.user, uid)
    version = get_object_or_404(
        asset.versions.select_related("asset__collection"), number=number
    )
    try:
        run = ReplayVersion(version, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
        return redirect("imagepipe_admin:asset", uid)
    messages.success(request, _("The picture is being made again from its recipe."))
    return redirect("imagepipe_admin:run", run.uid)


@require_safe
def replay_picture(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The raw picture that a replay made; 404 for those who may not see the original."""
    runs = visible_runs(request.user).filter(replay_of__asset__in=visible_assets(request.user))
    run = get_object_or_404(runs, uid=uid)
    output = run.steps.filter(kind="replay").values_list("output", flat=True).first()
    try:
        content = blobs.read(str((output or {}).get("sha256", "")))
    except (LostWork, ValueError) as error:
        raise Http404 from error
    return picture_response(content, "image/png")
