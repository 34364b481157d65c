"""“More like this”, asked for in the Studio or in the chooser."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest

from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.models import Candidate, Run


def start_variation(request: HttpRequest, candidate: Candidate) -> Run:
    """Queue a run like that of the candidate, once for each time that its page was drawn.

    Raises ``PermissionDenied`` and what ``StartRun`` raises.
    """
    source = candidate.run
    run = Run(
        variation_of=candidate,
        collection=source.collection,
        priority=source.priority,
        idempotency_key=_key(request, candidate),
    )
    return StartRun(run, request.user).execute()


def _key(request: HttpRequest, candidate: Candidate) -> str:
    """The token against forged forms is masked anew whenever a page is drawn."""
    sheet = request.POST.get("csrfmiddlewaretoken", "")
    if not sheet:
        return ""
    return hashlib.sha256(f"vary/{candidate.uid.hex}/{sheet}".encode()).hexdigest()
