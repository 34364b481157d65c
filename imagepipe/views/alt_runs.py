"""Having suggestions made: what it will take, starting it, how far it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from wagtail.admin import messages
from wagtail.models import Collection

from imagepipe.assets.models import Asset
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.seo.alt_text import bulk, worklist
from imagepipe.views.access import collections_for
from imagepipe.views.alt_filter import WorkFilter
from imagepipe.views.progress import run_message
from imagepipe.views.step_rows import in_words
from imagepipe.workflow import jobs
from imagepipe.workflow.actions import CancelRun
from imagepipe.workflow.durations import Basis
from imagepipe.workflow.forecasts import expected_of
from imagepipe.workflow.models import FINISHED, Run


@dataclass(frozen=True)
class Offer:
    """What a run would do and take; ``run`` is the person's own that is under way."""

    pictures: int
    time: str
    run: Run | None
    message: str = ""


def offer(assets: QuerySet[Asset], languages: list[str], user: Any) -> Offer:
    """Look ahead, without starting anything."""
    mine = Run.objects.filter(created_by=user, request__job=bulk.NAME).defer("graph")
    run = mine.exclude(state__in=FINISHED).order_by("-pk").first()
    pictures = min(worklist.needs_suggestion(assets, languages).count(), jobs.MOST)
    if run is not None:
        return Offer(pictures, "", run, run_message(run))
    expected = expected_of(Run(request={"job": bulk.NAME, "items": max(1, pictures)}))
    if expected.basis is Basis.NOTHING or expected.seconds is None:
        time = _("How long it takes is not known before the first run.")
    else:
        time = ngettext(
            "It takes about %(time)s, as %(count)d earlier run says.",
            "It takes about %(time)s, as %(count)d earlier runs say.",
            expected.runs,
        ) % {"time": in_words(expected.seconds), "count": expected.runs}
    return Offer(pictures, time, None)


@require_POST
def start_suggestions(request: HttpRequest) -> HttpResponse:
    """Queue a run over what the filter chooses."""
    work = WorkFilter(request.user, request.GET)
    assets, _reasons, languages = work.chosen
    back = f"{reverse('imagepipe_admin:alt_texts')}?{work.query}"
    try:
        run = bulk.prepare(worklist.needs_suggestion(assets, languages), languages)
        run.collection = work.cleaned_data.get("collection") or _own_collection(request.user)
        bulk.StartSuggestions(run, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Suggestions are being made; you can go on meanwhile."))
    return redirect(back)


def _own_collection(user: Any) -> Collection:
    """Where the run belongs: the uppermost collection in which the person may write texts."""
    place = collections_for(user, "change").order_by("path").first()
    if place is None:
        raise InvalidState(_("You may not change pictures in any collection."))
    return place


@never_cache
@require_safe
def suggestions_progress(request: HttpRequest, uid: uuid.UUID) -> JsonResponse:
    """How far a run of one's own is."""
    run = get_object_or_404(Run.objects.defer("graph"), uid=uid, created_by=request.user)
    return JsonResponse(
        {
            "finished": run.is_finished,
            "percent": round(100 * run.progress),
            "message": run_message(run),
        }
    )


@require_POST
def cancel_suggestions(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    run = get_object_or_404(Run, uid=uid, request__job=bulk.NAME)
    if run.created_by_id != request.user.pk:
        raise PermissionDenied
    try:
        CancelRun(run, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The run was cancelled. What was finished is kept."))
    return redirect("imagepipe_admin:alt_texts")
