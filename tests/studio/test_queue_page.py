"""The queue page: what it shows to whom, and what can be done with it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from imagepipe.workflow.models import ErrorClass, Run, RunState
from imagepipe.workflow.queue_models import QueueWorker

pytestmark = pytest.mark.django_db
AJAX = {"x-requested-with": "XMLHttpRequest"}


def url(name: str, *args: Any) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def shown(client: Client, tab: str = "all") -> str:
    response = client.get(url("queue"), {"show": tab})
    assert response.status_code == 200
    return response.content.decode()


def order(client: Client, tab: str = "all") -> list[str]:
    html = client.get(url("queue_results"), {"show": tab}).content.decode()
    return [part.split('"')[0] for part in html.split('<tr data-run="')[1:]]


def press(client: Client, what: str, run: Run, **values: Any) -> Any:
    return client.post(url("queue_change"), {"one": f"{what}:{run.uid.hex}"} | values)


@pytest.fixture
def worker(db: None) -> QueueWorker:
    now = timezone.now()
    return QueueWorker.objects.create(name="w:1", host="w", pid=1, started_at=now, seen_at=now)


def measured(run: Run, seconds: float) -> None:
    """As if the run had taken so long."""
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(
        state=RunState.SUCCEEDED,
        attempt=1,
        started_at=now - dt.timedelta(seconds=seconds),
        finished_at=now,
    )


def test_the_queue_says_when_a_run_starts_and_how_that_is_known(admin, start, worker):
    measured(start(), 60)
    first, second, third = (start(title=title) for title in ("One", "Two", "Three"))
    page = shown(admin)
    assert order(admin) == [run.uid.hex for run in (first, second, third)]
    assert "Next" in page
    assert "In about 1 min" in page
    assert "In about 2 min" in page
    assert page.count("Takes about 1 min, by 1 run of this model, size and steps.") == 3
    assert "1 worker is there" in page


def test_without_measurements_the_page_says_so(admin, run, worker):
    assert "no run like it has finished" in shown(admin)


def test_without_a_worker_nothing_is_promised(admin, run):
    page = shown(admin)
    assert "No worker is there" in page
    assert "When a worker is there" in page


def test_a_run_that_no_worker_can_take_is_told_apart(admin, run, worker):
    Run.objects.filter(pk=run.pk).update(resource="gpu")
    assert "When a worker that fits is there" in shown(admin)


def test_priority_goes_before_age(admin, start, worker):
    first, urgent = start(title="First"), start(title="Urgent one", priority=80)
    assert order(admin) == [urgent.uid.hex, first.uid.hex]
    press(admin, "priority", first, priority=80)
    first.refresh_from_db()
    assert first.priority == 80
    assert order(admin) == [first.uid.hex, urgent.uid.hex]


def test_moving_by_buttons_and_by_dragging(admin, start, worker):
    runs = [start(title=title) for title in ("A", "B", "C", "D")]
    names = {run.uid.hex: run.title for run in runs}

    def titles() -> str:
        return "".join(names[uid] for uid in order(admin))

    press(admin, "up", runs[3])
    assert titles() == "ABDC"
    press(admin, "first", runs[2])
    assert titles() == "CABD"
    press(admin, "down", runs[2])
    assert titles() == "ACBD"
    press(admin, "move", runs[0], move=2)
    assert titles() == "CBAD"


def test_pause_resume_and_cancel(admin, run, worker):
    response = press(admin, "pause", run)
    assertRedirects(response, f"{url('queue')}?show=mine")
    run.refresh_from_db()
    assert run.paused
    page = shown(admin)
    assert "resume:" in page
    assert "pause:" not in page
    press(admin, "resume", run)
    run.refresh_from_db()
    assert not run.paused
    press(admin, "cancel", run)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert "No run is waiting." in shown(admin)


def test_several_runs_at_once(admin, start):
    runs = [start() for _ in range(3)]
    data = {"do": "pause", "run": [run.uid.hex for run in runs[:2]]}
    response = admin.post(url("queue_change"), data, headers=AJAX)
    answer = json.loads(response.content)
    assert answer["message"] == "2 runs are paused."
    assert not answer["failed"]
    assert list(Run.objects.order_by("pk").values_list("paused", flat=True)) == [
        True,
        True,
        False,
    ]


def test_what_cannot_be_done_is_said_and_the_rest_is_done(admin, start):
    waiting, ended = start(title="Waiting"), start(title="Ended")
    Run.objects.filter(pk=ended.pk).update(state=RunState.SUCCEEDED)
    data = {"do": "pause", "run": [ended.uid.hex, waiting.uid.hex]}
    answer = admin.post(url("queue_change"), data, headers=AJAX).json()
    assert answer["failed"]
    assert "“Waiting” is paused." in answer["message"]
    assert "Ended: The run is “Finished” already." in answer["message"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"do": "explode"},
        {"do": "pause"},
        {"do": "pause", "run": ["x", ""]},
        {"one": "pause:"},
        {"one": ":"},
        {"one": "priority:", "priority": "high"},
        {"do": "move", "move": "9" * 5000},
    ],
)
def test_nonsense_changes_nothing(admin, run, data):
    answer = admin.post(url("queue_change"), data, headers=AJAX)
    assert answer.status_code == 200
    assert answer.json()["failed"]
    run.refresh_from_db()
    assert (run.paused, run.priority, run.position) == (False, 0, None)


def test_a_priority_beyond_its_bounds_is_refused(admin, run):
    answer = admin.post(
        url("queue_change"), {"one": f"priority:{run.uid.hex}", "priority": "101"}, headers=AJAX
    )
    assert "from -100 to 100" in answer.json()["message"]


def test_get_changes_nothing(admin, run):
    assert admin.get(url("queue_change"), {"one": f"pause:{run.uid.hex}"}).status_code == 405


def test_nobody_is_led_to_another_site(admin, run):
    response = press(admin, "pause", run, next="https://evil.example/")
    assertRedirects(response, f"{url('queue')}?show=mine")


def test_mine_are_those_that_i_started(admin, browse, person, run, root):
    other = browse(person("olga", "view", "generate"))
    assert order(other, "mine") == []
    assert order(other, "all") == [run.uid.hex]
    assert order(admin, "mine") == [run.uid.hex]


def test_who_may_only_look_gets_no_buttons_and_no_way(browse, person, run):
    client = browse(person("vera", "view"))
    page = shown(client)
    assert run.title in page
    for words in ("pause:", "cancel:", 'name="run"', 'name="do"'):
        assert words not in page
    for what in ("pause", "resume", "cancel", "up", "first", "retry", "repeat"):
        assert press(client, what, run).status_code == 302
        answer = client.post(
            url("queue_change"), {"one": f"{what}:{run.uid.hex}"}, headers=AJAX
        )
        assert answer.status_code == 403
    run.refresh_from_db()
    assert (run.state, run.paused, run.position) == (RunState.QUEUED, False, None)


def test_one_run_that_is_not_mine_stops_the_whole_change(browse, person, start, root):
    own = root.add_child(name="Own")
    mine, hidden = start(), start()
    Run.objects.filter(pk=mine.pk).update(collection=own)
    client = browse(person("ida", "generate", collection=own))
    data = {"do": "pause", "run": [mine.uid.hex, hidden.uid.hex]}
    assert client.post(url("queue_change"), data, headers=AJAX).status_code == 403
    assert not Run.objects.filter(paused=True).exists()
    assert order(client, "all") == [mine.uid.hex]


def test_strangers_do_not_enter(browse, person, run, root):
    for client in (browse(None), browse(person("paul", "publish"))):
        for name in ("queue", "queue_results", "workers", "workers_results"):
            response = client.get(url(name))
            assert response.status_code == 302
        assert press(client, "pause", run).status_code == 302
    run.refresh_from_db()
    assert not run.paused


@pytest.fixture
def dead(start: Callable[..., Run]) -> Run:
    run = start(title="Broken")
    Run.objects.filter(pk=run.pk).update(
        state=RunState.FAILED,
        error="The accelerator's memory is too small for the model.",
        error_class=ErrorClass.TERMINAL,
        attempt=3,
        finished_at=timezone.now(),
    )
    run.refresh_from_db()
    return run


def test_a_failed_run_is_tried_again_with_one_click(admin, dead):
    page = shown(admin, "failed")
    assert "The accelerator&#x27;s memory is too small" in page
    assert "Will fail again" in page
    press(admin, "retry", dead)
    dead.refresh_from_db()
    assert (dead.state, dead.error, dead.attempt) == (RunState.QUEUED, "", 0)
    assert "No run has failed" in shown(admin, "failed")


def test_a_failed_run_is_started_anew_with_its_lineage(admin, dead):
    press(admin, "repeat", dead)
    repeated = Run.objects.get(retry_of=dead)
    assert "No run has failed" in shown(admin, "failed")
    assert "repeats the run of" in shown(admin)
    assertContains(admin.get(url("run", repeated.uid)), "Repeats")
    assertContains(admin.get(url("run", dead.uid)), "Repeated as")


def test_failed_runs_of_others_are_theirs(browse, person, dead, root):
    client = browse(person("eve", "view", "generate", collection=root.add_child(name="Other")))
    assert "Broken" not in shown(client, "failed")
    assert press(client, "retry", dead).status_code == 302
    dead.refresh_from_db()
    assert dead.state == RunState.FAILED


def test_many_failed_runs_come_in_pages(admin, dead):
    Run.objects.bulk_create(
        Run(title=f"Dead {n}", graph={}, state=RunState.FAILED, finished_at=timezone.now())
        for n in range(60)
    )
    response = admin.get(url("queue"), {"show": "failed"})
    assertContains(response, "Page 1 of 2")
    assertContains(admin.get(url("queue"), {"show": "failed", "p": "9e9"}), "Page 1 of 2")
    assertNotContains(response, "Broken")
    assertContains(admin.get(url("queue"), {"show": "failed", "p": "2"}), "Broken")


def test_the_number_of_queries_does_not_depend_on_the_number_of_runs(
    admin: Client, editor: User, start: Callable[..., Run], dead: Run, worker: QueueWorker
) -> None:
    measured(start(), 10)
    waiting = start()

    def queries(tab: str) -> int:
        admin.get(url("queue"), {"show": tab})
        with CaptureQueriesContext(connection) as context:
            admin.get(url("queue"), {"show": tab})
        return len(context)

    few = {tab: queries(tab) for tab in ("mine", "all", "failed")}
    assert max(few.values()) <= 16
    for state in (RunState.QUEUED, RunState.FAILED):
        Run.objects.bulk_create(
            Run(
                title=f"Run {n}",
                graph=waiting.graph,
                request=waiting.request,
                model=waiting.model,
                created_by=editor,
                state=state,
            )
            for n in range(40)
        )
    measured(start(), 10)
    assert {tab: queries(tab) for tab in few} == few
