"""How work on a run ends when it does not succeed: given back, tried again later, or failed."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.exceptions import ImagepipeError, InvalidState, LeaseLost
from imagepipe.workflow import breakers, leases, state
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.exceptions import StorageDown
from imagepipe.workflow.failures import classify, pause_before
from imagepipe.workflow.models import ErrorClass, Run, RunState

logger = logging.getLogger("imagepipe.workflow")


def give_back(run: Run, owner: str) -> None:
    """Put the run back into the queue; the attempt does not count."""
    try:
        leases.release(run, owner)
    except (LeaseLost, InvalidState):
        logger.warning("run lost while stopping", extra={"run": run.uid.hex})


def fail(run: Run, owner: str, error: Exception) -> None:
    """Queue the run again with a pause if that may help, else end it."""
    expected = isinstance(error, ImagepipeError)
    facts = {"run": run.uid.hex, "code": getattr(error, "code", "")}
    logger.warning("run failed", exc_info=not expected, extra=facts)
    code = getattr(error, "code", "failed" if expected else "internal-error")
    message = _("Something unexpected happened; the log has the details under %(uid)s.")
    reason = str(error) if expected else message % {"uid": run.uid.hex}
    kind = classify(error)
    if isinstance(error, DatabaseProblem):
        connection.close()
    tell_engine(run, error)
    if kind is ErrorClass.RETRYABLE and run.attempt < get_settings().MAX_ATTEMPTS:
        pause = pause_before(run.attempt + 1, run.uid.hex, error)
        _queue_again(run, owner, code, reason, pause)
        return
    if kind is ErrorClass.RETRYABLE:
        kind = ErrorClass.EXHAUSTED
    end(run, owner, RunState.FAILED, error_code=code, error=reason, error_class=kind)


def _queue_again(run: Run, owner: str, code: str, reason: str, pause: float) -> None:
    with contextlib.suppress(LeaseLost, InvalidState):
        state.advance(
            run,
            RunState.QUEUED,
            owner=owner,
            message=reason[:255],
            error_code=code,
            error_class=ErrorClass.RETRYABLE,
            not_before=database_now() + dt.timedelta(seconds=pause),
        )


def tell_engine(run: Run, error: Exception | None, *, fell_back: bool = False) -> None:
    """Count an outage of the engine that failed, or that it works again.

    ``fell_back``: another engine did the work, so nothing is known of this one.
    """
    backend = run.model.backend if run.model_id else ""
    if error is None:
        breakers.succeeded([breakers.STORAGE] if fell_back else [breakers.STORAGE, backend])
    elif isinstance(error, StorageDown):
        breakers.failed(breakers.STORAGE, str(error), database_now())
    elif getattr(error, "outage", False) and backend:
        after = getattr(error, "retry_after", None)
        breakers.failed(backend, str(error), database_now(), after)


def end(run: Run, owner: str, target: RunState, **values: Any) -> None:
    """End the run, if it is still this worker's."""
    with contextlib.suppress(LeaseLost, InvalidState):
        state.advance(run, target, owner=owner, message="", **values)
