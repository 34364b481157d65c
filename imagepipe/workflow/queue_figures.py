"""Figures about the queue, for monitoring; read from the database, so true for all processes.

The number of queries is fixed, and none of them reads more than the open runs, the workers and
the steps of the last quarter of an hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from imagepipe.workflow.forecasts import alive
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.queue_models import EngineHealth, Expense, QueueWorker

WINDOW = dt.timedelta(minutes=15)
MOST_STEPS = 20_000
"""Steps of the window that durations are computed from, the latest."""
QUANTILES = (0.5, 0.9, 0.99)
LEVELS = ((60, "urgent"), (20, "high"), (-20, "normal"), (-60, "low"), (-100, "whenever"))
"""Lowest priority of each level; monitoring wants few of them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its labels; ``help`` belongs to the name."""

    name: str
    help: str
    labels: tuple[tuple[str, str], ...]
    value: float


def figures(now: dt.datetime | None = None) -> list[Figure]:
    """Return all figures at this moment; times in seconds, memory in bytes."""
    now = now or timezone.now()
    parts = (_depth, _failed, _steps, _workers, _engines, _spent)
    return [figure for part in parts for figure in part(now)]


def level(priority: int) -> str:
    """Return the level of monitoring that a priority belongs to."""
    return next((name for lowest, name in LEVELS if priority >= lowest), LEVELS[-1][1])


def _depth(now: dt.datetime) -> Iterator[Figure]:
    due = Q(not_before=None) | Q(not_before__lte=now)
    counts: dict[tuple[str, str], int] = {
        (name, state): 0 for _lowest, name in LEVELS for state in ("waiting", "running")
    }
    ages = dict.fromkeys((name for _lowest, name in LEVELS), 0.0)
    open_runs = Run.objects.filter(state__in=(RunState.QUEUED, RunState.RUNNING))
    ready = due & Q(state=RunState.QUEUED, paused=False)
    for row in open_runs.values("priority").annotate(
        ready=Count("pk", filter=ready),
        held=Count("pk", filter=Q(state=RunState.QUEUED) & ~ready),
        running=Count("pk", filter=Q(state=RunState.RUNNING)),
        oldest=Min("created_at", filter=ready),
    ):
        name = level(row["priority"])
        counts[name, "waiting"] += row["ready"]
        counts[name, "running"] += row["running"]
        counts[name, "held"] = counts.get((name, "held"), 0) + row["held"]
        if row["oldest"] is not None:
            ages[name] = max(ages[name], (now - row["oldest"]).total_seconds())
    for (name, state), count in counts.items():
        labels = (("priority", name), ("state", state))
        yield Figure("imagepipe_queue_runs", "Runs that are not finished.", labels, count)
    text = "Age of the oldest run that waits for a worker."
    for name, age in ages.items():
        yield Figure("imagepipe_queue_age_seconds", text, (("priority", name),), age)


def _failed(now: dt.datetime) -> Iterator[Figure]:
    found = Run.objects.filter(state=RunState.FAILED).aggregate(
        dead=Count("pk", filter=Q(retries=None)),
        lost=Count("pk", filter=Q(error_code="worker-lost", finished_at__gt=now - WINDOW)),
    )
    text = "Failed runs that nobody has started again."
    yield Figure("imagepipe_queue_dead_letters", text, (), found["dead"])
    text = "Runs given up within 15 minutes because their workers were lost."
    yield Figure("imagepipe_queue_lost_recent", text, (), found["lost"])
    repeated = Run.objects.filter(
        state__in=(RunState.QUEUED, RunState.RUNNING), attempt__gt=1
    ).aggregate(more=Sum("attempt"), runs=Count("pk"))
    text = "Attempts beyond the first of the runs that are open."
    lost = (repeated["more"] or 0) - repeated["runs"]
    yield Figure("imagepipe_queue_extra_attempts", text, (), lost)


def _steps(now: dt.datetime) -> Iterator[Figure]:
    rows = StepRun.objects.filter(
        state=RunState.SUCCEEDED, finished_at__gt=now - WINDOW
    ).order_by("-finished_at")
    seconds: dict[str, list[float]] = {}
    sources: dict[tuple[str, str], int] = {}
    columns = ("kind", "source", "started_at", "finished_at")
    for kind, source, started, finished in rows.values_list(*columns)[:MOST_STEPS]:
        sources[kind, source] = sources.get((kind, source), 0) + 1
        if source == StepRun.Source.COMPUTED and started is not None and finished is not None:
            seconds.setdefault(kind, []).append((finished - started).total_seconds())
    for (kind, source), count in sorted(sources.items()):
        labels = (("kind", kind), ("source", source))
        text = "Steps finished within 15 minutes."
        yield Figure("imagepipe_steps_recent", text, labels, count)
    text = "Duration of steps computed within 15 minutes."
    for kind, values in sorted(seconds.items()):
        values.sort()
        for quantile in QUANTILES:
            value = values[min(len(values) - 1, int(quantile * len(values)))]
            labels = (("kind", kind), ("quantile", str(quantile)))
            yield Figure("imagepipe_step_duration_seconds_recent", text, labels, value)


def _workers(now: dt.datetime) -> Iterator[Figure]:
    states = dict.fromkeys(("idle", "busy"), 0)
    swaps = Figure("imagepipe_model_swaps", "Changes of the loaded model.", (), 0)
    for worker in alive(now):
        states[worker.state] = states.get(worker.state, 0) + 1
        labels = (("worker", worker.name),)
        yield Figure(swaps.name, swaps.help, labels, worker.model_swaps)
        yield Figure(
            "imagepipe_worker_runs", "Runs executed since its start.", labels, worker.executed
        )
        yield Figure(
            "imagepipe_worker_memory_bytes", "Resident memory.", labels, worker.memory_bytes
        )
    text = "Runs taken from the worker because it no longer renewed its lease; gone ones too."
    for name, lost in QueueWorker.objects.values_list("name", "leases_lost"):
        yield Figure("imagepipe_leases_lost", text, (("worker", name),), lost)
    text = "Workers that have said something within a minute."
    for state, count in states.items():
        yield Figure("imagepipe_workers", text, (("state", state),), count)


def _engines(now: dt.datetime) -> Iterator[Figure]:
    text = "1 while no run that needs the backend or storage is started."
    for health in EngineHealth.objects.all():
        resting = health.open_until is not None and health.open_until > now
        yield Figure("imagepipe_engine_resting", text, (("engine", health.name),), int(resting))


def _spent(now: dt.datetime) -> Iterator[Figure]:
    text = "Money that pictures cost within 15 minutes."
    rows = Expense.objects.filter(spent_at__gt=now - WINDOW).order_by().values(
        "engine", "currency"
    )
    for row in rows.annotate(sum=Sum("amount")):
        labels = (("engine", row["engine"]), ("currency", row["currency"]))
        yield Figure("imagepipe_spent_recent", text, labels, float(row["sum"]))
