"""The seam to task engines: tell somebody that a run is waiting.

The run's row is the truth. A message only says "look at this run"; a lost one delays, a
duplicate does nothing.
"""

from __future__ import annotations

import datetime as dt
import importlib
import logging
from collections.abc import Callable

from django.utils import timezone

from imagepipe.conf import get_settings
from imagepipe.events.bus import RunQueued
from imagepipe.workflow.exceptions import UnknownEngine
from imagepipe.workflow.models import Run, RunState

logger = logging.getLogger("imagepipe.workflow")

REDISPATCH_AFTER = 60
"""Seconds that a run waits before its message is taken for lost."""
REDISPATCH_AT_MOST = 100
Send = Callable[[str, int], None]

_engines: dict[str, str] = {
    name: f"imagepipe.workflow.engines.{name}:send"
    for name in ("database", "inline", "celery", "rq")
}


def register_engine(name: str, send: str) -> None:
    """Make an engine known: ``"module:function"``, called with uid and priority of a run."""
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

    Heals lost messages. The database engine needs none.
    """
    if get_settings().TASK_ENGINE in ("database", "inline"):
        return 0
    before = timezone.now() - dt.timedelta(seconds=REDISPATCH_AFTER)
    waiting = Run.objects.filter(state=RunState.QUEUED, created_at__lt=before)
    rows = waiting.order_by("-priority", "created_at").values_list("uid", "priority")
    told = list(rows[:REDISPATCH_AT_MOST])
    for uid, priority in told:
        dispatch(uid.hex, priority)
    return len(told)
