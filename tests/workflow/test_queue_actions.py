from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.models import Site

from imagepipe.exceptions import InvalidState
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import leases, runner
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_actions import (
    MoveRun,
    PauseRun,
    ResumeRun,
    RetryFailedSteps,
    SetPriority,
    retry_dead_letters,
)
from imagepipe.workflow.queue_models import QueueWorker, Share
from imagepipe.workflow.scheduling import Offer
from imagepipe.workflow.worker import Worker

pytestmark = pytest.mark.django_db


def taken(**offer: object) -> list[str]:
    """Titles in the order in which one worker takes all that it can."""
    order = []
    while (run := leases.claim("w", offer=Offer(**offer))) is not None:
        order.append(run.title)
        Run.objects.filter(pk=run.pk).update(state=RunState.SUCCEEDED)
    return order


def test_a_paused_run_waits_until_it_is_resumed(start):
    run = PauseRun(start(), None).execute()
    assert run.paused and leases.claim("w") is None
    assert not ResumeRun(run, None).execute().paused
    assert leases.claim("w") == run
    Run.objects.update(state=RunState.SUCCEEDED)
    with pytest.raises(InvalidState, match="Finished"):
        PauseRun(run, None).execute()


def test_a_run_that_is_paused_while_it_runs_goes_back_before_its_next_step(start, finish):
    run = start(candidates=1)
    claimed = leases.claim("w", run.uid.hex)
    PauseRun(run, None).execute()
    assert runner.execute(claimed, "w", heartbeat=False) == RunState.QUEUED
    assert (claimed.attempt, claimed.lease_owner) == (0, "")
    ResumeRun(run, None).execute()
    assert finish(run).state == RunState.SUCCEEDED


def test_an_urgent_run_interrupts_another_between_two_steps(start):
    batch = leases.claim("w", start(candidates=1, title="batch").uid.hex)
    urgent = start(candidates=1, title="urgent", priority=90)
    long_ago = timezone.now() - dt.timedelta(seconds=5)
    Run.objects.filter(pk=urgent.pk).update(created_at=long_ago)
    assert runner.execute(batch, "w", heartbeat=False) == RunState.QUEUED
    assert leases.claim("w") == urgent
    assert runner.execute(urgent, "w", heartbeat=False) != RunState.QUEUED
    again = leases.claim("w")
    assert again == batch and again.attempt == 1
    assert runner.execute(again, "w", heartbeat=False) == RunState.SUCCEEDED


def test_a_run_makes_way_only_for_what_is_next_so_that_no_one_goes_in_circles(start):
    """What waited for long stands beside the urgent, and must not be put back for it."""
    old = start(candidates=1, title="old")
    urgent = start(candidates=1, title="urgent", priority=90)
    now = timezone.now()
    Run.objects.filter(pk=old.pk).update(created_at=now - dt.timedelta(hours=2))
    Run.objects.filter(pk=urgent.pk).update(created_at=now - dt.timedelta(seconds=5))
    claimed = leases.claim("w")
    assert claimed == old
    assert runner.execute(claimed, "w", heartbeat=False) == RunState.SUCCEEDED
    assert leases.claim("w") == urgent


def test_a_run_that_makes_way_has_come_a_step_further(start):
    batch = start(candidates=1, title="batch")
    urgent = start(candidates=1, title="urgent", priority=90)
    Run.objects.filter(pk=urgent.pk).update(
        created_at=timezone.now() - dt.timedelta(seconds=5)
    )
    for finished in range(1, 4):
        claimed = leases.claim("w", batch.uid.hex)
        assert runner.execute(claimed, "w", heartbeat=False) == RunState.QUEUED
        assert batch.steps.filter(state=RunState.SUCCEEDED).count() == finished


def test_runs_change_places_only_with_those_of_the_same_person_and_priority(start, editor):
    runs = [start(title=title) for title in "abcd"]
    other = start(title="other", priority=10)
    assert MoveRun(runs[3], editor, places=-2).execute().position is not None
    MoveRun(runs[0], editor, places=99).execute()
    Run.objects.filter(pk=other.pk).update(priority=-50)
    assert taken() == ["d", "b", "c", "a", "other"]
    with pytest.raises(InvalidState, match="Only a waiting run"):
        MoveRun(runs[1], editor, places=1).execute()


def test_priority_changes_the_turn_and_has_bounds(start, editor):
    first, second = start(title="first"), start(title="second")
    SetPriority(second, editor, priority=20).execute()
    with pytest.raises(InvalidState, match="from -100 to 100"):
        SetPriority(first, editor, priority=101).execute()
    assert taken() == ["second", "first"]


def test_a_worker_takes_only_what_it_can(start, model):
    start(title="any")
    model.defaults = model.defaults | {"resource": "gpu", "memory_bytes": 8 * 2**30}
    model.save()
    start(title="gpu")
    assert taken() == ["any"]
    assert taken(resources=frozenset({"gpu"}), memory=4 * 2**30) == []
    assert taken(resources=frozenset({"gpu"}), memory=16 * 2**30) == ["gpu"]


def test_a_worker_stays_with_the_loaded_model(start, model, template):
    other = RegisteredModel.objects.get(pk=model.pk)
    other.pk, other.slug = None, "other"
    other.save()
    for number in range(6):
        template.model = (model, other)[number % 2]
        start(title=f"{template.model.slug}{number}", candidates=1)
    worker = Worker()
    order = []
    while (run := leases.claim(worker.owner, offer=worker.presence.offer)) is not None:
        worker.presence.took(run)
        worker.presence.finished()
        order.append(run.model.slug)
    assert order == ["sketch"] * 3 + ["other"] * 3
    row = QueueWorker.objects.get(name=worker.owner)
    assert (row.model_swaps, row.models_loaded) == (1, ["other"])
    assert row.memory_bytes > 10**6


def test_many_runs_of_one_person_do_not_hold_up_another_s_in_a_long_queue(start, editor):
    template = start(title="many")
    stranger = User.objects.create_user("stranger")
    copies = [Run(title="many", graph={}, graph_sha256="", created_by=editor,
                  model=template.model) for _ in range(400)]  # fmt: skip
    Run.objects.bulk_create(copies)
    Run.objects.create(title="one", graph={}, graph_sha256="", created_by=stranger)
    assert "one" in [leases.claim("w").title for _ in range(2)]
    assert Share.objects.get(owner=f"user:{stranger.pk}").used_seconds > 0


def test_sites_share_the_workers(start, root):
    page = Site.objects.create(hostname="a.example", port=80, root_page_id=1)
    for number in range(3):
        start(title=f"none{number}")
    Run.objects.filter(pk=start(title="site").pk).update(site=page)
    assert "site" in taken()[:2]


def test_only_the_failed_step_of_a_failed_run_is_done_again(start, finish, monkeypatch):
    from imagepipe.workflow.exceptions import StepFailed
    from imagepipe.workflow.steps import registry

    def broken(context):
        raise StepFailed("The disk is full.")

    whole = registry.get("checks")
    monkeypatch.setitem(registry._steps, "checks", registry.Step("checks", broken))
    run = finish(start(candidates=1))
    assert (run.state, run.error_class, run.is_dead_letter) == ("failed", "terminal", True)
    done = {step.node: step.started_at for step in run.steps.filter(state="succeeded")}
    assert "generate-00" in done
    monkeypatch.setitem(registry._steps, "checks", whole)
    assert retry_dead_letters([run], None) == [run]
    assert (run.state, run.attempt, run.error, run.error_class) == ("queued", 0, "", "")
    run = finish(run)
    assert run.state == RunState.SUCCEEDED and run.candidates.count() == 1
    again = {step.node: step.started_at for step in run.steps.all() if step.node in done}
    assert again == done
    with pytest.raises(InvalidState, match="Only a failed run"):
        RetryFailedSteps(run, None).execute()
