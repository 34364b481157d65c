"""What the Generate tab of the image chooser asks for, piece by piece as HTML."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import may, open_candidate, open_run
from imagepipe.views.image_chooser import generate_form
from imagepipe.views.progress import describe, warnings_of
from imagepipe.views.quotas import refusal
from imagepipe.views.slots import slots
from imagepipe.views.use_form import UseForm, obstacle_to_use
from imagepipe.views.variations import start_variation
from imagepipe.workflow.actions import CancelRun
from imagepipe.workflow.models import Candidate, Run

INVALID = 422
"""Status of a form that is shown again with what is wrong."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The form; posting it starts a run, or shows it again with what is wrong."""
    if request.method != "POST":
        return render(request, "imagepipe/chooser/form.html", {"form": generate_form(request)})
    form = generate_form(request, request.POST, request.FILES)
    if not form.is_valid():
        context = {"form": form}
        return render(request, "imagepipe/chooser/form.html", context, status=INVALID)
    try:
        return show_run(request, form.start())
    except ImagepipeError as error:  # what was right a moment ago is so no more
        form.add_error(None, refusal(error))
        context = {"form": form}
        return render(request, "imagepipe/chooser/form.html", context, status=INVALID)


@require_POST
def vary(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """More like this one."""
    candidate = open_candidate(request.user, uid)
    try:
        return show_run(request, start_variation(request, candidate))
    except ImagepipeError as error:
        context = {"form": generate_form(request), "refusal": refusal(error)}
        return render(request, "imagepipe/chooser/form.html", context, status=INVALID)


@require_POST
def cancel(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    run = open_run(request.user, uid)
    try:
        CancelRun(run, request.user).execute()
    except ImagepipeError:
        run.refresh_from_db()  # it has ended by itself
    return show_run(request, run)


@never_cache
@require_safe
def watch(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    return show_run(request, open_run(request.user, uid))


@never_cache
@require_safe
def progress(request: HttpRequest, uid: uuid.UUID) -> JsonResponse:
    """As for the run page, with cards that fit the chooser."""
    run = open_run(request.user, uid)
    told = describe(run, slots(run))
    for entry in told["candidates"]:
        entry["card_url"] = reverse(
            "imagepipe_admin:chooser_card", args=[run.uid, entry["index"]]
        )
    return JsonResponse(told)


@never_cache
@require_safe
def card(request: HttpRequest, uid: uuid.UUID, index: int) -> HttpResponse:
    run = open_run(request.user, uid)
    slot = next((slot for slot in slots(run) if slot.index == index), None)
    if slot is None:
        raise Http404
    context = {"slot": slot, **card_context(request, run)}
    return render(request, "imagepipe/chooser/card.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def use(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The last form; a valid one publishes the picture and names its image."""
    candidate = open_candidate(request.user, uid)
    if candidate.state != Candidate.State.OFFERED or obstacle_to_use(
        request.user, candidate.run
    ):
        return show_run(request, candidate.run, status=INVALID)
    if request.method != "POST":
        return _show_use(request, candidate, UseForm(candidate, request.user))
    form = UseForm(candidate, request.user, request.POST)
    if not form.is_valid():
        return _show_use(request, candidate, form, status=INVALID)
    try:
        version = form.accept()
    except ImagepipeError as error:
        form.add_error(None, str(error))
        return _show_use(request, candidate, form, status=INVALID)
    version.asset.refresh_from_db()
    if version.asset.image_id is None:
        message = _("The picture is published, but not ready yet: find it under Search soon.")
        return JsonResponse({"message": message})
    return JsonResponse({"image": str(version.asset.image_id)})


def show_run(request: HttpRequest, run: Run, status: int = 200) -> HttpResponse:
    found = slots(run)
    context = {
        "run": run,
        "slots": found,
        "progress": describe(run, found),
        "warnings": warnings_of(run),
        "obstacle": obstacle_to_use(request.user, run),
        **card_context(request, run),
    }
    return render(request, "imagepipe/chooser/run.html", context, status=status)


def card_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """What a card of the chooser needs besides its slot."""
    return {
        "may_use": not obstacle_to_use(request.user, run),
        "may_generate": may(request.user, "generate", run),
    }


def _show_use(
    request: HttpRequest, candidate: Candidate, form: UseForm, status: int = 200
) -> HttpResponse:
    context = {"candidate": candidate, "run": candidate.run, "form": form}
    return render(request, "imagepipe/chooser/use.html", context, status=status)
