from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.workflow.models import Run, StepRun
from imagepipe.workflow.queue_models import QueueWorker

pytestmark = pytest.mark.django_db
PAGE = "imagepipe_admin:workers"


def worker(name: str = "w:1", **values: Any) -> QueueWorker:
    now = timezone.now()
    values = {"started_at": now, "seen_at": now, "host": name, "pid": 4711} | values
    return QueueWorker.objects.create(name=name, **values)


def test_a_worker_says_what_it_is_and_does(admin, run):
    Run.objects.update(state="running")
    StepRun.objects.create(run=run, node="generate-00", kind="generate", state="succeeded")
    StepRun.objects.create(run=run, node="generate-01", kind="generate", state="running")
    worker(
        state="busy",
        run=run,
        models_loaded=["sketch"],
        memory_bytes=3 * 2**30,
        memory_limit_bytes=16 * 2**30,
        executed=12,
        model_swaps=1,
        resources=["gpu"],
        engine="celery",
    )
    page = admin.get(reverse(PAGE))
    for words in (
        "Working", run.title, "Generate 2", "sketch", "3.0\xa0GB", "offers 16.0\xa0GB",
        "12 runs", "1 change of model", "gpu", "process 4711, celery",
    ):  # fmt: skip
        assertContains(page, words)


def test_a_silent_worker_is_not_taken_for_alive(admin, run):
    silent = timezone.now() - dt.timedelta(minutes=10)
    worker("silent", seen_at=silent, state="busy", run=run)
    page = admin.get(reverse(PAGE))
    assertContains(page, "Not heard of")
    assertContains(page, "10 min ago")
    assertNotContains(page, run.title)
    QueueWorker.objects.update(state="stopped")
    assertContains(admin.get(reverse(PAGE)), "Stopped")
    QueueWorker.objects.update(seen_at=silent - dt.timedelta(hours=2))
    assertContains(admin.get(reverse(PAGE)), "No worker was there")


def test_a_run_that_one_may_not_see_is_not_named(browse, person, run, root):
    worker(state="busy", run=run)
    own = root.add_child(name="Own")
    page = browse(person("vera", "view", collection=own)).get(reverse(PAGE))
    assertNotContains(page, run.title)
    assertNotContains(page, run.uid)
    assertContains(page, "a run that you may not see")


def test_many_workers_cost_no_more_queries(admin, start):
    worker("w:0", run=start(), state="busy")

    def queries() -> int:
        admin.get(reverse(PAGE))
        with CaptureQueriesContext(connection) as context:
            admin.get(reverse(PAGE))
        return len(context)

    few = queries()
    for number in range(1, 6):
        worker(f"w:{number}", run=start(), state="busy")
    assert queries() == few
