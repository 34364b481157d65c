"""The rows of the queue page: what runs, what waits, in which order, and since when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from imagepipe.views.access import collections_for, visible_runs
from imagepipe.views.step_rows import in_words
from imagepipe.workflow.durations import Basis, Expectation
from imagepipe.workflow.forecasts import Forecast, Outlook, outlook
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_actions import turn

SHOWN = 100
"""Runs on the page; of a longer queue the most urgent."""
PRIORITIES: tuple[tuple[int, Promise], ...] = (
    (80, gettext_lazy("Urgent")),
    (40, gettext_lazy("High")),
    (0, gettext_lazy("Normal")),
    (-50, gettext_lazy("Low")),
    (-100, gettext_lazy("Whenever")),
)


@dataclass(frozen=True)
class QueueRow:
    """One run that runs or waits."""

    run: Run
    may_change: bool
    start: str
    """When it is expected to start, in words."""
    basis: str
    """What that rests on, in words."""
    place: int = 0
    """Among the waiting runs of the same person and priority, from 1; 0 for none."""
    places: int = 0

    @property
    def is_first(self) -> bool:
        return self.place <= 1

    @property
    def is_last(self) -> bool:
        return self.place == self.places

    @property
    def is_waiting(self) -> bool:
        return self.run.state == RunState.QUEUED

    @property
    def priority(self) -> str:
        return priority_label(self.run.priority)


def priority_label(priority: int) -> str:
    """The level that a priority belongs to, with the number where it is between two."""
    value, label = min(PRIORITIES, key=lambda level: abs(level[0] - priority))
    return str(label) if value == priority else f"{label} ({priority})"


def queue_rows(user: AbstractBaseUser, *, mine: bool) -> tuple[list[QueueRow], Outlook]:
    """What the person may see of the queue, running ones first, then by expected start.

    The number of queries does not depend on the number of runs.
    """
    now = timezone.now()
    runs = (
        visible_runs(user)
        .filter(state__in=(RunState.QUEUED, RunState.RUNNING))
        .select_related("created_by__wagtail_userprofile", "model", "retry_of")
        .defer("graph", "retry_of__graph")
        .order_by("state", "-priority", "created_at")
    )
    if mine:
        runs = runs.filter(created_by=user)
    found = sorted(runs[:SHOWN], key=lambda run: run.state != RunState.RUNNING)
    view = outlook(found, now)
    changeable = set(collections_for(user, "generate").values_list("pk", flat=True))
    places = _places(found)
    rows = [
        QueueRow(
            run=run,
            may_change=run.collection_id in changeable,
            start=start_in_words(run, view.forecasts.get(run.pk), now),
            basis=basis_in_words(view.forecasts.get(run.pk)),
            place=places.get(run.pk, (0, 0))[0],
            places=places.get(run.pk, (0, 0))[1],
        )
        for run in found
    ]
    rows.sort(key=lambda row: _order(row.run, view))
    return rows, view


def _order(run: Run, view: Outlook) -> tuple[bool, bool, float, int, tuple[float, int]]:
    forecast = view.forecasts.get(run.pk)
    start = forecast.start.timestamp() if forecast and forecast.start else float("inf")
    return run.state != RunState.RUNNING, run.paused, start, -run.priority, turn(run)


def _places(runs: Iterable[Run]) -> dict[int, tuple[int, int]]:
    """The place of each waiting run among those that it can be moved between."""
    groups: dict[tuple[int | None, int], list[Run]] = {}
    for run in runs:
        if run.state == RunState.QUEUED:
            groups.setdefault((run.created_by_id, run.priority), []).append(run)
    return {
        run.pk: (number, len(group))
        for group in groups.values()
        for number, run in enumerate(sorted(group, key=turn), start=1)
    }


def start_in_words(run: Run, forecast: Forecast | None, now: dt.datetime) -> str:
    """When a run will start; why that is not known."""
    if run.state == RunState.RUNNING:
        return _("Pausing …") if run.paused else _("Running")
    if run.paused:
        return _("Paused")
    if run.not_before is not None and run.not_before > now:
        wait = in_words((run.not_before - now).total_seconds())
        return _("Tried again in %(time)s") % {"time": wait}
    if forecast is None or not forecast.workers:
        return _("When a worker is there")
    if forecast.start is None:
        return _("When a worker that fits is there")
    wait_seconds = (forecast.start - now).total_seconds()
    if wait_seconds < 2:
        return _("Next")
    return _("In about %(time)s") % {"time": _rounded(wait_seconds)}


def basis_in_words(forecast: Forecast | None) -> str:
    """How long the work will take, and what that is estimated from."""
    if forecast is None:
        return ""
    expectation = forecast.expectation
    if expectation.seconds is None:
        return _("How long it takes is not known yet: no run like it has finished.")
    return _("Takes about %(time)s, by %(basis)s.") % {
        "time": _rounded(expectation.seconds),
        "basis": _basis(expectation),
    }


def _basis(expectation: Expectation) -> str:
    count = {"count": expectation.runs}
    if expectation.basis == Basis.SAME:
        text = ngettext(
            "%(count)d run of this model, size and steps",
            "%(count)d runs of this model, size and steps",
            expectation.runs,
        )
    elif expectation.basis == Basis.MODEL:
        text = ngettext(
            "%(count)d run of this model with another size or steps",
            "%(count)d runs of this model with other sizes or steps",
            expectation.runs,
        )
    else:
        text = ngettext(
            "%(count)d run of another model", "%(count)d runs of other models", expectation.runs
        )
    return text % count


def _rounded(seconds: float) -> str:
    """No more exact than it is known: to 5 s below a minute, to 10 s below ten minutes."""
    for limit, step in ((5, 1), (60, 5), (600, 10), (float("inf"), 60)):
        if seconds < limit:
            return in_words(max(step, round(seconds / step) * step))
    raise AssertionError("unreachable")


def workers_in_words(view: Outlook) -> str:
    """One sentence above the table."""
    if not view.workers:
        return _("No worker is there. Start one: manage.py imagepipe worker")
    return ngettext(
        "%(count)d worker is there.", "%(count)d workers are there.", view.workers
    ) % {"count": view.workers}
