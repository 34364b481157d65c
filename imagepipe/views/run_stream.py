"""Progress of a run as server-sent events, where an ASGI server answers.

Each event holds the whole state of the run, under an identifier made from it: whoever comes
back with ``Last-Event-ID`` is told only what has changed since. Looks at the database are made
on two threads of this process, however many pages listen.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from imagepipe.conf import get_settings
from imagepipe.views.access import visible_runs
from imagepipe.views.progress import describe
from imagepipe.views.slots import slots
from imagepipe.workflow import blobs
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.steps.generate import candidate_index

INTERVAL = 0.5
"""Seconds between looks: progress is not written down more often."""
LOOKS_WHILE_WAITING = 6
"""A waiting run changes its place in the queue without being written to."""
QUIET = 15.0
"""Seconds without news after which a comment keeps proxies from closing the connection."""
LONGEST = 60.0
"""Seconds after which a page has to come back, and its rights are looked at anew."""
MOST = 64
"""Streams of one process; who comes later asks again and again instead."""

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="progress")
_open: set[object] = set()


def stream_possible(request: HttpRequest) -> bool:
    """Whether the request came through ASGI; a thread of WSGI would be held by a stream."""
    return isinstance(request, ASGIRequest)


@require_safe
def run_stream(request: HttpRequest, uid: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """The stream of one run. 404 for those who may not see it."""
    run = get_object_or_404(visible_runs(request.user).only("pk"), uid=uid)
    if not stream_possible(request):
        return HttpResponse(_("This server sends no events."), status=501)
    if len(_open) >= MOST:
        return HttpResponse(_("Too many pages listen."), status=503, headers={"Retry-After": 5})
    look = Look(
        request.user.pk,
        run.pk,
        uid.hex,
        translation.get_language(),
        timezone.get_current_timezone(),
    )
    told = request.headers.get("Last-Event-ID", "")[:64]
    return StreamingHttpResponse(
        _events(look, told),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@dataclass
class Look:
    """One reader's view of one run; called again and again on a thread with a database."""

    user_pk: Any
    run_pk: int
    run_uid: str
    language: str | None
    timezone: Any
    _seen: Any = None
    _looks: int = 0
    _previews: set[str] = field(default_factory=set)

    def __call__(self) -> dict[str, Any] | None:
        """What to tell, or None while nothing was written down since the last time.

        Raises ``ObjectDoesNotExist`` when the run is not there for the reader any more.
        """
        try:
            return self._look()
        finally:
            close_old_connections()

    def _look(self) -> dict[str, Any] | None:
        row = Run.objects.filter(pk=self.run_pk)
        columns = ("state", "progress", "message", "cancel_requested", "attempt", "priority")
        found = row.values_list(*columns).get()
        steps = row.values_list("steps__node", "steps__state", "steps__progress")
        found_steps = tuple(steps.order_by("steps__pk"))
        seen = (found, found_steps, self._first_previews(found_steps))
        self._looks += 1
        waits = found[0] != RunState.RUNNING and self._looks % LOOKS_WHILE_WAITING == 0
        if seen == self._seen and not waits:
            return None
        self._seen = seen
        user = get_user_model()._default_manager.get(pk=self.user_pk)  # with today's rights
        run = visible_runs(user).defer("graph").get(pk=self.run_pk)
        with translation.override(self.language), timezone.override(self.timezone):
            return describe(run, slots(run))


    def _first_previews(self, steps: tuple[Any, ...]) -> int:
        """How many pictures can be seen already; a first preview comes between two writes."""
        for node, state, _progress in steps:
            making = node and node.startswith("generate-") and state == RunState.RUNNING
            if making and node not in self._previews:
                name = blobs.preview_name(self.run_uid, candidate_index(node))
                if get_settings().private_storage.exists(name):
                    self._previews.add(node)
        return len(self._previews)


async def _events(look: Callable[[], dict[str, Any] | None], told: str) -> AsyncIterator[str]:
    """Until the run ends, the reader goes, or it is time to come back."""
    loop = asyncio.get_running_loop()
    end = time.monotonic() + LONGEST
    spoken = time.monotonic()
    place = object()
    _open.add(place)
    try:
        yield "retry: 1000\n\n"
        while time.monotonic() < end:
            try:
                state = await loop.run_in_executor(_threads, look)
            except ObjectDoesNotExist:
                return
            if state is not None:
                text = json.dumps(state, separators=(",", ":"))
                name = hashlib.sha256(text.encode()).hexdigest()[:16]
                if name != told:
                    told, spoken = name, time.monotonic()
                    yield f"id: {name}\nevent: progress\ndata: {text}\n\n"
                if state["finished"]:
                    return
            if time.monotonic() - spoken > QUIET:
                spoken = time.monotonic()
                yield ": still there\n\n"
            await asyncio.sleep(INTERVAL)
    finally:
        _open.discard(place)
