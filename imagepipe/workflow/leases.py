"""Who works on which run. A lease is held by renewing it; a lost one is taken by another.

Claiming is one conditional UPDATE, which passes over a locked row where the database can
skip those; two workers never hold the same run. Leases are measured by the database's clock.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket
from collections.abc import Iterable
from contextlib import nullcontext

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import translation
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.events.bus import RunEnded, RunQueued, emit
from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import breakers, fallbacks, shares, state, waiting_list
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.models import ErrorClass, Run, RunState
from imagepipe.workflow.queue_models import QueueWorker
from imagepipe.workflow.scheduling import Offer, Waiting, choose

ANYTHING = Offer()
FREE = "SELECT id FROM imagepipe_run WHERE id = %s FOR UPDATE SKIP LOCKED"
"""Within the UPDATE that takes a run: one that another worker is just taking is passed over."""
LOOK_AGAIN_AFTER = 5
"""Lost races after which the queue is read anew."""


def new_owner() -> str:
    """Return a name for this worker that no other has, readable in the admin."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(owner: str, uid: str | None = None, offer: Offer = ANYTHING) -> Run | None:
    """Take the run whose turn it is for a worker with this offer; or the one with ``uid``.

    Returns None when there is none to take. The run counts one more attempt. What is read
    may be old by the time it is taken: taking is one conditional UPDATE, and who comes too
    late chooses again.
    """
    while True:
        now = database_now()
        health = breakers.look(now)
        if breakers.STORAGE in health.resting:
            return None
        waiting = waiting_list.read(now, uid)
        situation = waiting_list.situation(now, waiting, health.resting)
        waiting = fallbacks.divert(waiting, health.resting)
        tries = 0
        while (chosen := choose(waiting, offer, situation, shares.rules())) is not None:
            guarded = health.guarded & {breakers.STORAGE, chosen.backend}
            if _take(chosen, owner, now, guarded):
                return Run.objects.select_related("model").get(pk=chosen.key)
            waiting.remove(chosen)
            tries += 1
            if tries >= LOOK_AGAIN_AFTER:
                break
        else:
            return None


def _take(chosen: Waiting, owner: str, now: dt.datetime, guarded: Iterable[str]) -> bool:
    with transaction.atomic() if guarded else nullcontext():
        if not all(breakers.admit(name, now) for name in guarded):
            return False
        row = waiting_list.ready(now).filter(pk=chosen.key)
        if connection.features.has_select_for_update_skip_locked:
            row = row.filter(pk__in=RawSQL(FREE, [chosen.key]))  # noqa: S611 - a constant
        taken = row.update(
            state=RunState.RUNNING,
            lease_owner=owner,
            lease_until=term_end(now),
            attempt=F("attempt") + 1,
            started_at=now,
            finished_at=None,
        )
        if not taken:
            if guarded:
                # Another worker has it; the place on the engine is free again.
                transaction.set_rollback(True)
            return False
    shares.charge(chosen.person, chosen.site, chosen.seconds, now, starting=True)
    return True


def renew(run_pk: int, owner: str, **values: object) -> None:
    """Hold the lease for another term, writing further columns with the same UPDATE.

    Raises ``LeaseLost`` when another worker has the run, or nobody should.
    """
    held = _held(run_pk, owner).update(lease_until=term_end(), **values)
    if not held:
        raise LeaseLost(_("Another worker has taken over the run."))


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
    now = now or database_now()
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
            QueueWorker.objects.filter(name=run.lease_owner).update(
                leases_lost=F("leases_lost") + 1
            )
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


def term_end(now: dt.datetime | None = None) -> dt.datetime:
    """Return when a lease ends that is taken or renewed at this moment."""
    return (now or database_now()) + dt.timedelta(seconds=get_settings().LEASE_SECONDS)
