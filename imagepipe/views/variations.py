"""“Vary the seed” and “More like this”, asked for in the Studio or in the chooser."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest
from django.utils.translation import gettext as _

from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.variations import alike, obstacle_to_likeness

SEED, ALIKE = "seed", "alike"


def start_variation(request: HttpRequest, candidate: Candidate) -> Run:
    """Queue a run like that of the candidate, once for each time that its page was drawn.

    Posted as ``way``: ``seed`` asks for the same with new seeds; ``alike`` also starts from
    the candidate, if its model can start from a picture. Raises ``PermissionDenied`` and what
    ``StartRun`` raises.
    """
    source = candidate.run
    way = ALIKE if request.POST.get("way") == ALIKE else SEED
    run = Run(
        variation_of=candidate,
        collection=source.collection,
        priority=source.priority,
        idempotency_key=_key(request, candidate, way),
    )
    if way == SEED or obstacle_to_likeness(candidate):
        return StartRun(run, request.user).execute()
    run.title, run.template, run.model = source.title, source.template, source.model
    return StartRun(run, request.user, brief=alike(candidate)).execute()


def what_was_started(candidate: Candidate, run: Run) -> str:
    """One sentence for the person who asked."""
    number = {"number": candidate.index + 1}
    if run.request.get("edit") and run.request["edit"]["source"]["key"] == candidate.uid.hex:
        return _("More like picture %(number)d is in the queue.") % number
    return _("The same as picture %(number)d, with new seeds, is in the queue.") % number


def _key(request: HttpRequest, candidate: Candidate, way: str) -> str:
    """The token against forged forms is masked anew whenever a page is drawn."""
    sheet = request.POST.get("csrfmiddlewaretoken", "")
    if not sheet:
        return ""
    return hashlib.sha256(f"vary/{way}/{candidate.uid.hex}/{sheet}".encode()).hexdigest()
