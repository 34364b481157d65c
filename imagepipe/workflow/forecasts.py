"""When waiting runs will start: what is measured and waiting, put before the scheduler."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT

from imagepipe.workflow import scheduling, shares, waiting_list
from imagepipe.workflow.durations import Expectation, Finished, Job, expect, remaining
from imagepipe.workflow.jobs import job_of
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.queue_models import QueueWorker

LOOKED_AT = 200
"""Latest finished runs that durations are taken from."""
_FIRST = "graph__nodes__generate-00__params__"
FACTS = ("model_id", "seeds", "steps_each", "width", "height", "job", "items")


@dataclass(frozen=True, slots=True)
class Forecast:
    """``start`` is None for a run that no worker here can take; ``workers`` are alive."""

    start: dt.datetime | None
    expectation: Expectation
    workers: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast of runs by their key, and the workers that are there."""

    forecasts: Mapping[int, Forecast]
    workers: int


def outlook(runs: Iterable[Run], now: dt.datetime) -> Outlook:
    """Look ahead for these runs; the number of queries does not depend on theirs."""
    past = finished_runs()
    wanted = {run.pk for run in runs}
    open_runs = Run.objects.filter(state__in=(RunState.QUEUED, RunState.RUNNING))
    waiting = waiting_list.read(now)
    keys = wanted | {one.key for one in waiting}
    rows = {
        pk: (Job(*_job(facts)), state, progress, started)
        for pk, state, progress, started, *facts in _with_facts(
            open_runs.filter(pk__in=keys) | open_runs.filter(state=RunState.RUNNING)
        ).values_list("pk", "state", "progress", "started_at", *FACTS)
    }
    expected = {pk: expect(job, past) for pk, (job, *_rest) in rows.items()}
    known = [_timed(one, expected.get(one.key)) for one in waiting]
    busy = {
        pk: remaining(expected[pk].seconds, (now - started).total_seconds(), progress)
        for pk, (_job_, state, progress, started) in rows.items()
        if state == RunState.RUNNING and started is not None
    }
    workers = list(alive(now))
    starts = scheduling.forecast(
        known,
        [(_until_free(worker, busy), _offer(worker)) for worker in workers],
        waiting_list.situation(now, known),
        shares.rules(),
    )
    moments = {key: dt.datetime.fromtimestamp(at, dt.UTC) for key, at in starts.items()}
    return Outlook(
        {
            pk: Forecast(moments.get(pk), expected[pk], len(workers))
            for pk in wanted & expected.keys()
        },
        len(workers),
    )


def alive(now: dt.datetime) -> QuerySet[QueueWorker]:
    """Return the workers that have said something lately and do not end."""
    since = now - dt.timedelta(seconds=waiting_list.WORKER_SILENCE)
    ending = (QueueWorker.State.STOPPING, QueueWorker.State.STOPPED)
    return QueueWorker.objects.filter(seen_at__gt=since).exclude(state__in=ending)


def expected_of(run: Run) -> Expectation:
    """Return how long a run, saved or not, is expected to take; one query."""
    if kind := job_of(run):
        count = max(1, _whole(run.request.get("items")))
        return expect(Job(None, count, kind=kind), finished_runs())
    first = run.graph.get("nodes", {}).get("generate-00", {}).get("params", {})
    steps, width, height = (_whole(first.get(name)) for name in ("steps", "width", "height"))
    seeds = run.request.get("seeds") or ()
    return expect(Job(run.model_id, max(1, len(seeds)), steps, width * height), finished_runs())


def finished_runs() -> list[Finished]:
    """Return the latest runs that succeeded at the first attempt and took nothing over."""
    reused = StepRun.objects.filter(
        run=OuterRef("pk"), source=StepRun.Source.REUSED, kind="generate"
    )
    runs = Run.objects.filter(state=RunState.SUCCEEDED, attempt=1, started_at__isnull=False)
    rows = _with_facts(runs.filter(~Exists(reused))).order_by("-finished_at")
    return [
        Finished(Job(*_job(facts)), (finished - started).total_seconds())
        for started, finished, *facts in rows.values_list("started_at", "finished_at", *FACTS)[
            :LOOKED_AT
        ]
        if finished is not None
    ]


def _with_facts(runs: QuerySet[Run]) -> QuerySet[Run]:
    """The graph itself stays in the database; it may be long."""
    return runs.annotate(
        seeds=KT("request__seeds"),
        steps_each=KT(f"{_FIRST}steps"),
        width=KT(f"{_FIRST}width"),
        height=KT(f"{_FIRST}height"),
        job=KT("request__job"),
        items=KT("request__items"),
    )


def _job(facts: Iterable[Any]) -> tuple[int | None, int, int, int, str]:
    model, seeds, steps, width, height, kind, items = facts
    if kind:
        return None, max(1, _whole(items)), 0, 0, str(kind)
    made = str(seeds or "").count(",") + 1
    return model, made, _whole(steps), _whole(width) * _whole(height), ""


def _whole(text: Any) -> int:
    return int(text) if str(text).isdecimal() and len(str(text)) < 10 else 0


def _timed(run: scheduling.Waiting, expectation: Expectation | None) -> scheduling.Waiting:
    if expectation is None or expectation.seconds is None:
        return run
    return replace(run, seconds=expectation.seconds)


def _until_free(worker: QueueWorker, busy: Mapping[int, float | None]) -> float:
    if worker.run_id is None:
        return 0.0
    left = busy.get(worker.run_id, 0.0)
    return shares.UNKNOWN_SECONDS if left is None else left


def _offer(worker: QueueWorker) -> scheduling.Offer:
    return scheduling.Offer(
        frozenset(map(str, worker.resources)),
        worker.memory_limit_bytes,
        frozenset(map(str, worker.models_loaded[-1:])),
    )
