"""Who works on which run. A lease is held by renewing it; a lost one is taken by another.

Claiming is one conditional UPDATE, or a locked row where the database can skip locked rows;
two workers never hold the same run.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.events.bus import RunEnded, RunQueued, emit
from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import state
from imagepipe.workflow.models import ErrorClass, Run, RunState


def new_owner() -> str:
    """Return a name for this worker that no other has, readable in the admin."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(owner: str, uid: str | None = None) -> Run | None:
    """Take the most urgent waiting run, then the oldest; or the one with ``uid``.

    Returns None when there is none to take. The run counts one more attempt.
    """
    waiting = Run.objects.filter(state=RunState.QUEUED).order_by(
        "-priority", "created_at", "pk"
    )
    if uid is not None:
        waiting = waiting.filter(uid=uid)
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            run = waiting.select_for_update(skip_locked=True).first()
            taken = run is not None and _take(run.pk, owner)
        return Run.objects.get(pk=run.pk) if run is not None and taken else None
    while (pk := waiting.values_list("pk", flat=True).first()) is not None:
        if _take(pk, owner):
            return Run.objects.get(pk=pk)
    return None


def _take(pk: int, owner: str) -> bool:
    now = timezone.now()
    taken = Run.objects.filter(pk=pk, state=RunState.QUEUED).update(
        state=RunState.RUNNING,
        lease_owner=owner,
        lease_until=_until(now),
        attempt=F("attempt") + 1,
        started_at=now,
        finished_at=None,
    )
    return taken == 1


def renew(run_pk: int, owner: str, **values: object) -> None:
    """Hold the lease for another term, writing further columns with the same UPDATE.

    Raises ``LeaseLost`` when another worker has the run, or nobody should.
    """
    held = _held(run_pk, owner).update(lease_until=_until(timezone.now()), **values)
    if not held:
        raise LeaseLost(_("Another worker has taken over the run."))


def is_held(run_pk: int, owner: str) -> bool:
    """Whether ``owner`` still works on the run."""
    return _held(run_pk, owner).exists()


def release(run: Run, owner: str) -> None:
    """Put the run back into the queue on purpose; this attempt does not count."""
    with transaction.atomic():
        state.advance(run, RunState.QUEUED, owner=owner, attempt=F("attempt") - 1, message="")
        emit(RunQueued(run.uid.hex))


def reap(now: dt.datetime | None = None) -> int:
    """Take runs from workers that no longer renew; returns how many.

    They go back to the queue, or end: cancelled if that was asked for, failed after
    ``IMAGEPIPE["MAX_ATTEMPTS"]`` attempts.
    """
    now = now or timezone.now()
    lost = Run.objects.filter(state=RunState.RUNNING, lease_until__lt=now)
    reaped = 0
    for run in lost:
        # Only if it is the same lease still: the worker may have renewed it meanwhile.
        same = Run.objects.filter(
            pk=run.pk,
            state=RunState.RUNNING,
            lease_owner=run.lease_owner,
            lease_until=run.lease_until,
        )
        with translation.override(None):
            fate = _fate(run, now)
        with transaction.atomic():
            if not same.update(**fate):
                continue
            reaped += 1
            if fate["state"] == RunState.QUEUED:
                emit(RunQueued(run.uid.hex))
            else:
                run.steps.filter(state=RunState.RUNNING).update(state=fate["state"])
                emit(RunEnded(run.uid.hex))
    return reaped


def _fate(run: Run, now: dt.datetime) -> dict[str, object]:
    freed: dict[str, object] = {"lease_owner": "", "lease_until": None}
    if run.cancel_requested:
        return freed | {"state": RunState.CANCELLED, "finished_at": now}
    if run.attempt >= get_settings().MAX_ATTEMPTS:
        return freed | {
            "state": RunState.FAILED,
            "finished_at": now,
            "error_code": "worker-lost",
            "error_class": ErrorClass.EXHAUSTED,
            "error": _(
                "The run lost its worker %(count)d times and was given up. Smaller pictures "
                "need less memory; the log of the worker says more."
            )
            % {"count": run.attempt},
        }
    return freed | {"state": RunState.QUEUED, "message": _("Waiting for another worker")}


def _held(run_pk: int, owner: str) -> QuerySet[Run]:
    return Run.objects.filter(pk=run_pk, state=RunState.RUNNING, lease_owner=owner)


def _until(now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(seconds=get_settings().LEASE_SECONDS)
