"""Pinning and starring candidates: from the grid of a run and from the history."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from imagepipe.views.access import open_candidate
from imagepipe.workflow.mark_actions import PinCandidate, StarCandidate
from imagepipe.workflow.mark_models import Star
from imagepipe.workflow.models import Candidate


@require_POST
def pin_candidate(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """``on=1`` or ``on=0``."""
    candidate, on = open_candidate(request.user, uid), _wanted(request)
    PinCandidate(candidate, request.user, on=on).execute()
    said = _("Picture %(number)d is pinned: it comes first from now on.") if on else _(
        "Picture %(number)d is not pinned any more."
    )  # fmt: skip
    return _answer(request, candidate, on, said)


@require_POST
def star_candidate(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """``on=1`` or ``on=0``."""
    candidate, on = open_candidate(request.user, uid), _wanted(request)
    star = Star(candidate=candidate, user=request.user)
    StarCandidate(star, request.user, on=on).execute()
    said = _("Picture %(number)d has your star.") if on else _(
        "Picture %(number)d has your star no more."
    )  # fmt: skip
    return _answer(request, candidate, on, said)


def _wanted(request: HttpRequest) -> bool:
    return request.POST.get("on") == "1"


def _answer(request: HttpRequest, candidate: Candidate, on: bool, said: str) -> HttpResponse:
    """For scripts what is so now; for all others the page that they came from."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        words = said % {"number": candidate.index + 1}
        return JsonResponse({"on": on, "said": words})
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = reverse("imagepipe_admin:run", args=[candidate.run.uid])
    return redirect(back)
