"""What is written of a run is fenced by its lease and tells what people wish."""

from __future__ import annotations

import pytest
from django.utils import timezone

from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import bookkeeping, leases
from imagepipe.workflow.models import Run, RunState, StepRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def claimed(start) -> Run:
    start(candidates=1)
    run = leases.claim("w")
    assert run is not None
    return run


def step(run: Run, node: str, **values) -> StepRun:
    return StepRun(run=run, node=node, kind="generate", **values)


def test_one_write_ends_a_step_and_begins_the_next(claimed):
    now = timezone.now()
    first = step(claimed, "a", state=RunState.RUNNING, attempt=1, started_at=now)
    bookkeeping.write(claimed.pk, "w", begins=first)
    first.state, first.output = RunState.SUCCEEDED, {"text": "“ä” \\ \n", "n": None, "x": 1.5}
    first.finished_at = now
    second = step(claimed, "b", state=RunState.RUNNING, attempt=1)
    wishes = bookkeeping.write(
        claimed.pk, "w", [first], begins=second, progress=0.5, message="Half"
    )
    assert wishes == bookkeeping.NONE
    rows = list(claimed.steps.order_by("pk"))
    assert [(row.node, row.state) for row in rows] == [("a", "succeeded"), ("b", "running")]
    assert (rows[0].output, rows[0].started_at, rows[0].finished_at) == (first.output, now, now)
    assert claimed.steps.get(output__isnull=True) == rows[1]
    claimed.refresh_from_db()
    assert (claimed.progress, claimed.message) == (0.5, "Half")
    bookkeeping.write(claimed.pk, "w")
    claimed.refresh_from_db()
    assert (claimed.progress, claimed.message) == (0.5, "Half")


@pytest.mark.parametrize("wish", ["cancel_requested", "paused"])
def test_no_step_begins_against_a_wish_but_what_is_done_is_kept(claimed, wish):
    Run.objects.update(**{wish: True})
    done = step(claimed, "a", state=RunState.SUCCEEDED, output={})
    wishes = bookkeeping.write(claimed.pk, "w", [done], begins=step(claimed, "b"))
    assert wishes == bookkeeping.Wishes(
        cancel=wish == "cancel_requested", pause=wish == "paused"
    )
    assert [row.node for row in claimed.steps.all()] == ["a"]


@pytest.mark.parametrize("change", [{"lease_owner": "v"}, {"state": RunState.QUEUED}])
def test_who_has_lost_the_lease_writes_nothing(claimed, change):
    Run.objects.update(**change)
    with pytest.raises(LeaseLost):
        bookkeeping.write(claimed.pk, "w", [step(claimed, "a")], progress=0.9)
    claimed.refresh_from_db()
    assert (claimed.progress, claimed.steps.count()) == (0, 0)
