"""How far a run is: as JSON for the pages that wait for it, and card by card as HTML."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imagepipe.review.models import Review
from imagepipe.views.access import may, visible_runs
from imagepipe.views.replays import report_of
from imagepipe.views.sentences import in_reader_language
from imagepipe.views.slots import Slot, slots
from imagepipe.views.step_rows import counts_in_words, step_rows, unbegun
from imagepipe.views.waiting import waiting_message
from imagepipe.workflow.jobs import job_of, tally
from imagepipe.workflow.model_import import REGISTER
from imagepipe.workflow.models import Run, RunState


def describe(run: Run, found: Iterable[Slot]) -> dict[str, Any]:
    """Plain JSON values about the run; messages are sentences for people."""
    rows = step_rows(run)
    return {
        "state": run.state,
        "state_label": run.get_state_display(),
        "finished": run.is_finished,
        "cancelling": run.cancel_requested and not run.is_finished,
        "percent": round(100 * run.progress),
        "message": run_message(run),
        "error_code": run.error_code,
        "candidates": [slot.to_dict() for slot in found],
        "steps": [row.to_dict() for row in rows.values()],
        "tally": counts_in_words(rows),
        "rest": unbegun(run, "").to_dict(),
    }


def run_message(run: Run) -> str:
    """One sentence: what is happening, or how it ended."""
    if run.state == RunState.QUEUED:
        return waiting_message(run)
    if run.state == RunState.SUCCEEDED:
        replay = report_of(run)
        if replay:
            return replay.sentence
        return job_result(run) if job_of(run) else _("All pictures are there.")
    if run.state == RunState.CANCELLED:
        return _("The run was cancelled. What was finished is kept.")
    if run.state == RunState.FAILED:
        return in_reader_language(run.error)
    if run.cancel_requested:
        return _("Stopping at the next step …")
    return in_reader_language(run.message) or _("Starting …")


def job_result(run: Run) -> str:
    """What work that makes no pictures has come to."""
    if job_of(run) == REGISTER:
        return _("The model is registered. It is used once somebody allows it.")
    total = tally(run.steps.values_list("output", flat=True))
    said = {
        "suggested": _("with suggestions: %(count)d"),
        "nothing": _("nothing to suggest: %(count)d"),
        "reused": _("unchanged: %(count)d"),
        "refused": _("not allowed: %(count)d"),
        "requested": _("published again: %(count)d"),
        "newer": _("published since: %(count)d"),
        "gone": _("not published: %(count)d"),
    }
    parts = [text % {"count": total[key]} for key, text in said.items() if total.get(key)]
    return _("Done; %(result)s.") % {"result": ", ".join(parts)} if parts else _("Done.")


def warnings_of(run: Run) -> list[str]:
    """What the engine could not honour exactly, each sentence once."""
    outputs = run.steps.filter(kind="generate").values_list("output", flat=True)
    sentences = (
        str(sentence)
        for output in outputs
        if isinstance(output, dict)
        for sentence in output.get("warnings") or ()
    )
    return list(dict.fromkeys(map(in_reader_language, sentences)))


@never_cache
@require_safe
def run_progress(request: HttpRequest, uid: uuid.UUID) -> JsonResponse:
    """What the run page asks for about once a second. 404 for those who may not see it."""
    run = get_object_or_404(visible_runs(request.user).defer("graph"), uid=uid)
    return JsonResponse(describe(run, slots(run)))


@never_cache
@require_safe
def candidate_card(request: HttpRequest, uid: uuid.UUID, index: int) -> HttpResponse:
    """The card of one slot, drawn anew."""
    run = get_object_or_404(visible_runs(request.user), uid=uid)
    slot = next((slot for slot in slots(run, request.user) if slot.index == index), None)
    if slot is None:
        raise Http404
    return render(
        request,
        "imagepipe/studio/includes/candidate_card.html",
        card_context(request, run) | {"slot": slot},
    )


def card_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """What the cards of a run need besides their slot."""
    return {
        "may_generate": may(request.user, "generate", run),
        "may_review": may(request.user, "review", run),
        "reasons": Review.Reason.choices,
    }
