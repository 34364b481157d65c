from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from imagepipe.workflow import dispatch, leases, periodic
from imagepipe.workflow.engines import rq as engines_rq
from imagepipe.workflow.exceptions import UnknownEngine
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import QueueWorker
from imagepipe.workflow.worker import Worker


@pytest.fixture
def jobs(monkeypatch):
    monkeypatch.setattr(periodic, "_jobs", {})


def test_jobs_are_done_when_due_and_a_failing_one_stops_nobody(jobs, caplog):
    now, done = [0.0], []
    periodic.register("b-slow", 60, lambda: done.append("slow"))
    periodic.register("c-quick", 1, lambda: done.append("quick"))
    periodic.register("a-broken", 1, lambda: 1 / 0)
    schedule = periodic.Schedule(clock=lambda: now[0])
    assert schedule.run_due() == ("a-broken", "b-slow", "c-quick")
    assert schedule.run_due() == ()
    now[0] = 1.5
    assert schedule.run_due() == ("a-broken", "c-quick")
    assert done == ["slow", "quick", "quick"]
    assert "ZeroDivisionError" in caplog.text


def test_an_interval_must_be_positive(jobs):
    with pytest.raises(ValueError, match="must be positive"):
        periodic.register("x", 0, print)


def test_unknown_engines_are_named():
    with pytest.raises(UnknownEngine, match="“carrier-pigeon”. Known are: celery, database"):
        dispatch.load_engine("carrier-pigeon")


@pytest.mark.django_db
def test_the_inline_engine_executes_on_commit(
    settings, start, django_capture_on_commit_callbacks
):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"TASK_ENGINE": "inline"}
    with django_capture_on_commit_callbacks(execute=True):
        run = start(candidates=1)
        assert run.state == RunState.QUEUED
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED


@pytest.mark.django_db
def test_a_broken_engine_is_logged_and_the_run_waits(
    settings, start, django_capture_on_commit_callbacks, caplog
):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"TASK_ENGINE": "no-such"}
    with django_capture_on_commit_callbacks(execute=True):
        run = start(candidates=1)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert "run could not be dispatched" in caplog.text


@pytest.mark.django_db
def test_messages_of_long_waiting_runs_are_sent_again(settings, start, monkeypatch):
    sent = []
    monkeypatch.setattr(dispatch, "load_engine", lambda name: lambda *args: sent.append(args))
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"TASK_ENGINE": "rq"}
    old, _new = start(candidates=1, priority=7), start(candidates=1)
    Run.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(minutes=5))
    assert dispatch.redispatch_waiting() == 1
    assert sent == [(old.uid.hex, 7)]


@pytest.mark.django_db
def test_no_more_messages_are_sent_again_than_were_lost(settings, start, monkeypatch):
    """Else a queue that is long for hours would be told of each of its runs every minute."""
    sent = []
    monkeypatch.setattr(engines_rq, "send", lambda *args: sent.append(args))
    monkeypatch.setattr(engines_rq, "waiting", lambda resource: {"": 2, "gpu": 0}[resource])
    monkeypatch.setattr(engines_rq.send, "__module__", engines_rq.__name__)
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"TASK_ENGINE": "rq"}
    urgent, *_others = [start(candidates=1, priority=priority) for priority in (9, 0, 0)]
    machine = start(candidates=1)
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    Run.objects.update(created_at=long_ago)
    Run.objects.filter(pk=machine.pk).update(resource="gpu")
    assert dispatch.redispatch_waiting() == 2
    assert {uid for uid, _priority in sent} == {urgent.uid.hex, machine.uid.hex}
    monkeypatch.setattr(engines_rq, "waiting", lambda resource: 7)
    assert dispatch.redispatch_waiting() == 0


@pytest.mark.django_db
def test_a_lost_run_goes_back_and_is_given_up_after_three_attempts(start, jobs):
    run = start(candidates=1)
    worker = Worker()
    now = timezone.now()
    for name in ("dead-1", "dead-2", "dead-3", "alive"):
        QueueWorker.objects.create(name=name, started_at=now, seen_at=now)
    for attempt in (1, 2, 3):
        assert leases.claim(f"dead-{attempt}").attempt == attempt
        Run.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        worker.keep_house()
    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.FAILED, "worker-lost")
    assert "lost its worker 3 times" in run.error
    assert run.finished_at is not None
    lost = QueueWorker.objects.filter(leases_lost=1).values_list("name", flat=True)
    assert set(lost) == {"dead-1", "dead-2", "dead-3"}


@pytest.mark.django_db
def test_a_stopped_worker_claims_nothing(start, jobs):
    run = start(candidates=1)
    worker = Worker()
    worker.stop()
    assert worker.run_until_empty() == 0
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


@pytest.mark.django_db
def test_upkeep_only_executes_nothing(start, jobs):
    start(candidates=1)
    assert Worker(upkeep_only=True).run_until_empty() == 0
