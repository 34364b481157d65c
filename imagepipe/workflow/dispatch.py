"""The seam to task engines: tell somebody that a run is waiting.

The run's row is the truth. A message only says "look at this run"; a lost one delays, a
duplicate does nothing.
"""

from __future__ import annotations

import datetime as dt
import importlib
import logging
from collections.abc import Callable

from django.db.models import Count, QuerySet

from imagepipe.conf import get_settings
from imagepipe.events.bus import RunQueued
from imagepipe.workflow import waiting_list
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.exceptions import UnknownEngine
from imagepipe.workflow.models import Run

logger = logging.getLogger("imagepipe.workflow")

REDISPATCH_AFTER = 60
"""Seconds that a run waits before its message is taken for lost."""
DUE_INTERVAL = 5
"""Seconds between looks for runs whose pause has ended."""
REDISPATCH_AT_MOST = 100
Send = Callable[[str, int], None]

_engines: dict[str, str] = {
    name: f"imagepipe.workflow.engines.{name}:send"
    for name in ("database", "inline", "celery", "rq")
}


def register_engine(name: str, send: str) -> None:
    """Make an engine known: ``"module:function"``, called with uid and priority of a run.

    A function ``waiting(resource)`` beside it may say how many messages no worker has taken
    yet, in the queue of runs that need this class of machine (empty: any).
    """
    _engines[name] = send


def dispatch(run_uid: str, priority: int) -> None:
    """Tell the configured engine of a run; ``priority`` is −100 to 100.

    Call it after the run is committed. Raises :class:`UnknownEngine`, or what the engine's
    own connection raises.
    """
    load_engine(get_settings().TASK_ENGINE)(run_uid, priority)


def load_engine(name: str) -> Send:
    """Return an engine's send function. Raises :class:`UnknownEngine`."""
    if name not in _engines:
        known = ", ".join(sorted(_engines))
        raise UnknownEngine(f"There is no task engine “{name}”. Known are: {known}.")
    module, _, attribute = _engines[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise UnknownEngine(
            f"The task engine “{name}” needs {error.name or error}, which is not installed. "
            f"Install the extra “{name}”."
        ) from error


def dispatch_queued(event: RunQueued) -> None:
    """Subscriber: tell the engine of a run that was queued, for the first time or again.

    A broken engine is logged only: the run waits in the database.
    """
    run = Run.objects.filter(uid=event.run_uid).only("priority").first()
    if run is None:
        return
    try:
        dispatch(event.run_uid, run.priority)
    except Exception:
        logger.exception("run could not be dispatched", extra={"run": event.run_uid})


def redispatch_waiting() -> int:
    """Tell the engine again of runs that have waited for long; returns how many.

    Heals lost messages. As any message brings the run whose turn it is, only as many are sent
    as there are more runs than messages waiting, if the engine can count its messages. The
    database engine needs none.
    """
    now = database_now()
    before = now - dt.timedelta(seconds=REDISPATCH_AFTER)
    late = waiting_list.ready(now).filter(created_at__lt=before)
    if (count := _count_messages()) is None:
        return _tell_of(late)
    per_class = late.order_by().values_list("resource").annotate(runs=Count("pk"))
    return sum(
        _tell_of(late.filter(resource=resource), runs - count(resource))
        for resource, runs in list(per_class)
    )


def dispatch_due() -> int:
    """Tell the engine of runs whose pause before another attempt has just ended."""
    now = database_now()
    lately = now - dt.timedelta(seconds=2 * DUE_INTERVAL)
    return _tell_of(waiting_list.ready(now).filter(not_before__gt=lately))


def _count_messages() -> Callable[[str], int] | None:
    send = load_engine(get_settings().TASK_ENGINE)
    return getattr(importlib.import_module(send.__module__), "waiting", None)


def _tell_of(runs: QuerySet[Run], at_most: int = REDISPATCH_AT_MOST) -> int:
    if get_settings().TASK_ENGINE in ("database", "inline") or at_most <= 0:
        return 0
    rows = runs.order_by("-priority", "created_at").values_list("uid", "priority")
    told = list(rows[: min(at_most, REDISPATCH_AT_MOST)])
    for uid, priority in told:
        dispatch(uid.hex, priority)
    return len(told)
