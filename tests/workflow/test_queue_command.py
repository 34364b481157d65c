"""``manage.py imagepipe queue``."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from imagepipe.audit.models import AuditEvent
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import QueueWorker

pytestmark = pytest.mark.django_db


def queue(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("imagepipe", "queue", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def listed(*arguments: str) -> list[dict[str, Any]]:
    return json.loads(queue(*arguments, "--json"))


def reload(run: Run) -> Run:
    run.refresh_from_db()
    return run


@pytest.fixture
def run(start) -> Run:
    return start(title="Teapots")


@pytest.fixture
def dead(start) -> Run:
    run = start(title="Broken")
    values = {"error_code": "no-memory", "error_class": "terminal", "error": "Too small."}
    Run.objects.filter(pk=run.pk).update(
        state=RunState.FAILED, attempt=3, finished_at=timezone.now(), **values
    )
    return reload(run)


def test_the_list_is_in_the_order_of_their_turns(run, start):
    urgent = start(title="Urgent one", priority=90)
    now = timezone.now()
    QueueWorker.objects.create(name="w", started_at=now, seen_at=now)
    rows = listed("list")
    assert [row["run"] for row in rows] == [urgent.uid.hex[:8], run.uid.hex[:8]]
    assert [row["start"] for row in rows] == [0, 10]
    assert rows[1] | {"start": None} == {
        "run": run.uid.hex[:8],
        "state": "queued",
        "priority": 0,
        "start": None,
        "basis": "nothing",
        "by": "editor",
        "title": "Teapots",
    }
    table = queue("list").splitlines()
    assert table[0].split() == ["run", "state", "priority", "start", "basis", "by", "title"]
    assert len(table) == 3


def test_pause_resume_priority_move_and_cancel(run, start):
    short = run.uid.hex[:8]
    queue("pause", short)
    assert reload(run).paused
    assert listed("list")[0]["state"] == "paused"
    queue("resume", str(run.uid))
    assert not reload(run).paused
    queue("priority", short, "--to", "-40")
    assert reload(run).priority == -40
    other = start(title="Later", priority=-40)
    queue("move", other.uid.hex, "--to=-1")
    assert [row["run"] for row in listed("list")] == [other.uid.hex[:8], short]
    queue("cancel", short, other.uid.hex[:8])
    assert listed("list") == []
    assert AuditEvent.objects.filter(action="imagepipe.run.cancel").count() == 2


def test_failed_runs_are_tried_again(dead):
    [row] = listed("failed")
    assert (row["code"], row["class"], row["attempts"]) == ("no-memory", "terminal", 3)
    queue("retry", dead.uid.hex[:8])
    assert reload(dead).state == RunState.QUEUED
    assert listed("failed") == []


def test_all_failed_runs_at_once_or_as_new_ones(dead):
    queue("retry", "--new", "--all-failed")
    assert Run.objects.get(retry_of=dead).state == RunState.QUEUED
    assert reload(dead).state == RunState.FAILED
    assert listed("failed") == []


def test_workers(run):
    now = timezone.now()
    QueueWorker.objects.create(
        name="gpu:1", started_at=now, seen_at=now, run=run, models_loaded=["sketch"]
    )
    [row] = listed("workers")
    assert (row["worker"], row["run"]) == ("gpu:1", run.uid.hex[:8])
    assert "sketch" in queue("workers")


def test_what_cannot_be_done_ends_with_a_sentence(run, dead):
    with pytest.raises(CommandError, match="1 runs were left"):
        queue("pause", dead.uid.hex[:8], run.uid.hex[:8])
    assert reload(run).paused


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pause"], "Name the runs"),
        (["pause", "1234"], "not the identifier"),
        (["pause", "x" * 40], "not the identifier"),
        (["pause", "0" * 32], "There is no run"),
        (["priority", "0" * 8], "Say with --to"),
        (["explode"], "invalid choice"),
    ],
)
def test_nonsense_is_refused(db, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        queue(*arguments)
