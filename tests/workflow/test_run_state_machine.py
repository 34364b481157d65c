from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from imagepipe.conf import get_settings
from imagepipe.exceptions import InvalidState, LeaseLost
from imagepipe.workflow import leases, state
from imagepipe.workflow.actions import CancelRun
from imagepipe.workflow.models import FINISHED, RUN_TRANSITIONS, Run, RunState

S = RunState
OWNERS = ("a", "b")


class RunLife(RuleBasedStateMachine):
    """Workers, people and the reaper act on runs in any order; a model predicts the row."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[int, dict[str, object]] = {}

    @rule(target=runs, priority=st.integers(-100, 100))
    def queue(self, priority: int) -> int:
        run = Run.objects.create(title="x", graph={}, graph_sha256="", priority=priority)
        self.expected[run.pk] = {
            "state": S.QUEUED,
            "owner": "",
            "attempt": 0,
            "asked": False,
            "priority": priority,
        }
        return run.pk

    @rule(owner=st.sampled_from(OWNERS))
    def claim(self, owner: str) -> None:
        waiting = [
            (-e["priority"], pk) for pk, e in self.expected.items() if e["state"] is S.QUEUED
        ]
        run = leases.claim(owner)
        assert (run.pk if run else None) == (min(waiting)[1] if waiting else None)
        if run is not None:
            row = self.expected[run.pk]
            row.update(state=S.RUNNING, owner=owner, attempt=row["attempt"] + 1)

    @rule(
        pk=runs,
        owner=st.sampled_from(OWNERS),
        outcome=st.sampled_from([S.SUCCEEDED, S.FAILED, S.CANCELLED]),
    )
    def end(self, pk: int, owner: str, outcome: RunState) -> None:
        run, row = Run.objects.get(pk=pk), self.expected[pk]
        if row["state"] is S.RUNNING and row["owner"] == owner:
            state.advance(run, outcome, owner=owner)
            row.update(state=outcome, owner="")
        else:
            with pytest.raises((LeaseLost, InvalidState)):
                state.advance(run, outcome, owner=owner)

    @rule(pk=runs, owner=st.sampled_from(OWNERS))
    def release(self, pk: int, owner: str) -> None:
        run, row = Run.objects.get(pk=pk), self.expected[pk]
        if row["state"] is S.RUNNING and row["owner"] == owner:
            leases.release(run, owner)
            row.update(state=S.QUEUED, owner="", attempt=row["attempt"] - 1)
        else:
            with pytest.raises((LeaseLost, InvalidState)):
                leases.release(run, owner)

    @rule(pk=runs, owner=st.sampled_from(OWNERS))
    def renew(self, pk: int, owner: str) -> None:
        row = self.expected[pk]
        if row["state"] is S.RUNNING and row["owner"] == owner:
            leases.renew(pk, owner, progress=0.5)
        else:
            with pytest.raises(LeaseLost):
                leases.renew(pk, owner)

    @rule(pk=runs)
    def cancel(self, pk: int) -> None:
        run, row = Run.objects.get(pk=pk), self.expected[pk]
        if row["state"] in FINISHED:
            with pytest.raises(InvalidState):
                CancelRun(run, None).execute()
            return
        CancelRun(run, None).execute()
        row["asked"] = True
        if row["state"] is S.QUEUED:
            row["state"] = S.CANCELLED

    @rule()
    def nothing_is_lost_yet(self) -> None:
        assert leases.reap() == 0

    @rule()
    def all_workers_die(self) -> None:
        later = timezone.now() + dt.timedelta(seconds=get_settings().LEASE_SECONDS + 1)
        running = [row for row in self.expected.values() if row["state"] is S.RUNNING]
        assert leases.reap(later) == len(running)
        for row in running:
            exhausted = row["attempt"] >= get_settings().MAX_ATTEMPTS
            target = S.CANCELLED if row["asked"] else S.FAILED if exhausted else S.QUEUED
            row.update(state=target, owner="")

    @invariant()
    def the_rows_are_as_predicted(self) -> None:
        for run in Run.objects.all():
            row = self.expected[run.pk]
            assert (run.state, run.lease_owner, run.attempt) == (
                row["state"],
                row["owner"],
                row["attempt"],
            )
            assert (run.lease_until is not None) == (run.state == S.RUNNING)
            assert (run.finished_at is not None) == run.is_finished
            assert run.cancel_requested == row["asked"]

    def teardown(self) -> None:
        Run.objects.all().delete()


@pytest.mark.django_db
def test_runs_only_ever_take_legal_ways(root):
    run_state_machine_as_test(
        RunLife, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
    )


@pytest.mark.django_db
@pytest.mark.parametrize("source", RunState)
@pytest.mark.parametrize("target", RunState)
def test_each_transition_is_allowed_or_refused_as_the_table_says(root, source, target):
    run = Run.objects.create(title="x", graph={}, graph_sha256="", state=source)
    if target in RUN_TRANSITIONS[source]:
        state.advance(run, target)
        assert run.state == target
    else:
        with pytest.raises(InvalidState, match=str(source.label)):
            state.advance(run, target)
        run.refresh_from_db()
        assert run.state == source


@pytest.mark.django_db
def test_cancelling_needs_permission(root):
    from django.core.exceptions import PermissionDenied

    run = Run.objects.create(title="x", graph={}, graph_sha256="")
    stranger = User.objects.create_user("stranger")
    with pytest.raises(PermissionDenied):
        CancelRun(run, stranger).execute()
    run.refresh_from_db()
    assert run.state == S.QUEUED
