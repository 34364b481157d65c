from __future__ import annotations

import io
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import blobs, bookkeeping, context, leases, runner
from imagepipe.workflow.exceptions import RunCancelled
from imagepipe.workflow.models import Run, RunState, StepRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def slow(settings):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"BACKENDS": {"fake": {"seconds_per_step": 0.02}}}


def test_progress_is_written_at_most_twice_a_second(start, finish, slow, monkeypatch):
    writes: list[tuple[float, float]] = []
    write = bookkeeping.write

    def spy(*args: Any, **values: Any) -> bookkeeping.Wishes:
        if values["progress"] is not None:
            writes.append((time.monotonic(), values["progress"]))
        return write(*args, **values)

    monkeypatch.setattr(bookkeeping, "write", spy)
    run = finish(start(candidates=2, steps=40))
    assert run.state == RunState.SUCCEEDED
    assert len(writes) >= 3
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise(writes)]
    # Between the decision and the write another process may have the processor.
    assert sum(pauses) >= context.WRITE_INTERVAL * (len(pauses) - 1)
    shares = [share for _, share in writes]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] < 1


def test_a_preview_is_stored_while_a_picture_is_made(start, finish, slow, private_folder: Path):
    run = finish(start(candidates=1, steps=60))
    jpeg = (private_folder / blobs.preview_name(run.uid.hex, 0)).read_bytes()
    assert Image.open(io.BytesIO(jpeg)).format == "JPEG"
    assert max(Image.open(io.BytesIO(jpeg)).size) <= 256
    leftovers = [p for p in private_folder.rglob("*") if p.is_file() and p.name.startswith(".")]
    assert leftovers == []


def test_a_cancel_request_stops_at_the_next_look(start, monkeypatch):
    monkeypatch.setattr(context, "LOOK_INTERVAL", 0)
    run = start(candidates=1, steps=50)
    claimed = leases.claim("w")
    checks = []
    check = context.Lease.check

    def cancel_at_the_tenth(self: context.Lease) -> None:
        checks.append(1)
        if len(checks) == 10:
            Run.objects.filter(pk=run.pk).update(cancel_requested=True)
        check(self)

    monkeypatch.setattr(context.Lease, "check", cancel_at_the_tenth)
    assert runner.execute(claimed, "w", heartbeat=False) == RunState.CANCELLED
    assert len(checks) == 10
    run.refresh_from_db()
    assert (run.state, run.error_code, run.candidates.count()) == ("cancelled", "cancelled", 0)
    assert run.steps.get(node="generate-00").state == RunState.CANCELLED


@pytest.mark.parametrize(
    ("step", "look", "steps_until_heard"),
    [(0.03, 0.0003, 1), (0.5, 0.005, 1), (0.002, 0.0003, 11), (0.05, 0.1, 21)],
)
def test_a_wish_is_heard_at_the_next_step_unless_reading_it_costs_too_much(
    start, monkeypatch, step, look, steps_until_heard
):
    """On a clock of its own: so many seconds a step, so many a look at the row."""
    start(candidates=1)
    clock = [time.monotonic()]
    monkeypatch.setattr(context.time, "monotonic", lambda: clock[0])
    lease = context.Lease(leases.claim("w"), "w")
    looks, plain = [], context.Lease._look

    def timed(self: context.Lease) -> None:
        looks.append(clock[0])
        clock[0] += look
        plain(self)

    monkeypatch.setattr(context.Lease, "_look", timed)
    begin = clock[0]
    for _step in range(200):
        clock[0] += step
        lease.check()
    share = len(looks) * look / (clock[0] - begin)
    assert share <= context.LOOK_SHARE or look > context.LOOK_SHARE * context.LOOK_INTERVAL
    Run.objects.update(cancel_requested=True)
    asked = clock[0]
    count = 0
    with pytest.raises(RunCancelled):
        while count < 100:
            count += 1
            clock[0] += step
            lease.check()
    assert count <= steps_until_heard
    assert clock[0] - asked <= context.LOOK_INTERVAL + step + look


def test_a_worker_that_lost_its_lease_writes_nothing_more(start, monkeypatch):
    monkeypatch.setattr(context, "LOOK_INTERVAL", 0)
    run = start(candidates=1)
    claimed = leases.claim("first")
    check, checks = context.Lease.check, []

    def lose_at_the_fourth(self: context.Lease) -> None:
        checks.append(1)
        if len(checks) == 4:
            Run.objects.filter(pk=run.pk).update(lease_owner="second")
        check(self)

    monkeypatch.setattr(context.Lease, "check", lose_at_the_fourth)
    assert runner.execute(claimed, "first", heartbeat=False) == RunState.RUNNING
    run.refresh_from_db()
    assert (run.state, run.lease_owner) == (RunState.RUNNING, "second")
    step = StepRun.objects.get(run=run, node="generate-00")
    assert (step.state, step.output) == (RunState.RUNNING, None)


def test_a_step_that_ends_after_its_lease_was_lost_offers_nothing(start, monkeypatch):
    run = start(candidates=1)
    claimed = leases.claim("first")
    monkeypatch.setattr(
        context.Lease, "check", lambda self: None
    )  # the loss goes unnoticed until the transaction
    from imagepipe.workflow.steps import checks

    original = checks.STEP.run

    def lose(step_context: context.StepContext) -> dict[str, object]:
        output = original(step_context)
        Run.objects.filter(pk=run.pk).update(lease_owner="second")
        return output

    from imagepipe.workflow.steps import registry

    monkeypatch.setitem(registry._steps, "checks", registry.Step("checks", lose))
    runner.execute(claimed, "first", heartbeat=False)
    assert run.candidates.count() == 0
    with pytest.raises(LeaseLost):
        leases.renew(run.pk, "first")
