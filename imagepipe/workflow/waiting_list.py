"""Reads what the scheduler has to choose from: waiting runs and the situation, as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from imagepipe.workflow import breakers, shares
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import QueueWorker
from imagepipe.workflow.scheduling import Situation, Waiting

SHORT = 200
"""Up to so many waiting runs are all looked at; of more, the first of everybody."""
OF_EACH, OLDEST = 8, 50
WORKER_SILENCE = 60
"""Seconds after which a worker that says nothing is not counted."""
FIELDS = (
    "pk", "created_at", "position", "priority", "created_by_id", "site_id",
    "estimated_seconds", "deadline", "model__slug", "model__backend", "resource",
    "memory_bytes",
)  # fmt: skip


def ready(now: dt.datetime) -> QuerySet[Run]:
    """Return the runs that wait for nothing but a worker."""
    due = Q(not_before=None) | Q(not_before__lte=now)
    return Run.objects.filter(due, state=RunState.QUEUED, paused=False)


def read(now: dt.datetime, uid: str | None = None) -> list[Waiting]:
    """Return what may be chosen now, or the run ``uid`` alone if it may.

    Of a long queue only what could be first is read.
    """
    runs = ready(now).order_by("-priority", "created_at", "pk")
    if uid is not None:
        runs = runs.filter(uid=uid)
    rows = list(runs.values_list(*FIELDS)[: SHORT + 1])
    if len(rows) > SHORT:
        rows = list({row[0]: row for query in _first_ones(runs) for row in query}.values())
    return [_value(*row) for row in rows]


def value_of(run: Run) -> Waiting:
    """Return a run as the scheduler sees it, with its model at hand."""
    model = run.model
    return _value(
        run.pk, run.created_at, run.position, run.priority, run.created_by_id, run.site_id,
        run.estimated_seconds, run.deadline, model and model.slug, model and model.backend,
        run.resource, run.memory_bytes,
    )  # fmt: skip


def situation(
    now: dt.datetime, waiting: Iterable[Waiting], resting: frozenset[str] | None = None
) -> Situation:
    """Return everybody's use, resting engines and, where deadlines need it, the workers."""
    if resting is None:
        resting = breakers.resting(now)
    workers = 1
    if any(run.deadline is not None for run in waiting):
        since = now - dt.timedelta(seconds=WORKER_SILENCE)
        alive = QueueWorker.objects.filter(seen_at__gt=since)
        workers = alive.exclude(state=QueueWorker.State.STOPPED).count() or 1
    return Situation(now.timestamp(), shares.read(now), workers, resting)


def _first_ones(runs: QuerySet[Run]) -> Iterable[Any]:
    rank = Window(
        RowNumber(),
        partition_by=[F("site_id"), F("created_by_id"), F("model_id")],
        order_by=[F("priority").desc(), F("created_at").asc()],
    )
    yield runs.annotate(rank=rank).filter(rank__lte=OF_EACH).values_list(*FIELDS)
    yield runs.order_by("created_at").values_list(*FIELDS)[:OLDEST]
    for field in ("deadline", "position"):
        moved = runs.exclude(**{field: None}).order_by(field)
        yield moved.values_list(*FIELDS)[:OLDEST]


def _value(
    pk: int,
    created_at: dt.datetime,
    position: float | None,
    priority: int,
    user_id: int | None,
    site_id: int | None,
    seconds: float | None,
    deadline: dt.datetime | None,
    model: str | None,
    backend: str | None,
    resource: str,
    memory: int,
) -> Waiting:
    return Waiting(
        key=pk,
        since=created_at.timestamp() if position is None else position,
        priority=priority,
        person=shares.person(user_id),
        site=shares.place(site_id),
        seconds=seconds or shares.UNKNOWN_SECONDS,
        deadline=None if deadline is None else deadline.timestamp(),
        model=model or "",
        backend=backend or "",
        resource=resource,
        memory=memory,
    )
