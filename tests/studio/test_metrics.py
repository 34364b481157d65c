"""Figures for Prometheus, read back with its own parser."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from imagepipe.observability.exposition import render
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.queue_models import EngineHealth, Expense, QueueWorker

pytestmark = pytest.mark.django_db
TOKEN = "a long token"


@pytest.fixture
def scrape(settings: Any) -> Any:
    parser = pytest.importorskip("prometheus_client.parser")
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"METRICS_TOKEN": TOKEN}

    def scrape() -> dict[tuple[str, ...], float]:
        response = Client().get(
            reverse("imagepipe:metrics"), headers={"authorization": f"Bearer {TOKEN}"}
        )
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain; version=0.0.4")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in parser.text_string_to_metric_families(response.content.decode())
            for sample in family.samples
        }

    return scrape


def ago(seconds: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=seconds)


def test_depth_and_age_by_priority(scrape, start):
    old, paused, running = start(), start(), start()
    start(priority=90)
    Run.objects.filter(pk=old.pk).update(created_at=ago(100))
    Run.objects.filter(pk=paused.pk).update(paused=True, created_at=ago(500))
    Run.objects.filter(pk=running.pk).update(state=RunState.RUNNING, attempt=3)
    found = scrape()
    assert found["imagepipe_queue_runs", "normal", "waiting"] == 1
    assert found["imagepipe_queue_runs", "normal", "held"] == 1
    assert found["imagepipe_queue_runs", "normal", "running"] == 1
    assert found["imagepipe_queue_runs", "urgent", "waiting"] == 1
    assert found["imagepipe_queue_runs", "low", "waiting"] == 0
    assert 100 <= found["imagepipe_queue_age_seconds", "normal"] < 200
    assert found["imagepipe_queue_age_seconds", "low"] == 0
    assert found["imagepipe_queue_extra_attempts",] == 2


def test_lost_and_dead_runs(scrape, start):
    lost, repeated = start(), start()
    Run.objects.update(state=RunState.FAILED, finished_at=timezone.now())
    Run.objects.filter(pk=lost.pk).update(error_code="worker-lost")
    Run.objects.create(graph={}, retry_of=repeated, state=RunState.SUCCEEDED)
    found = scrape()
    assert found["imagepipe_queue_dead_letters",] == 1
    assert found["imagepipe_queue_lost_recent",] == 1


def test_durations_of_steps_and_what_was_taken_over(scrape, run):
    def step(number: int, seconds: float, **values: Any) -> None:
        end = values.pop("finished_at", timezone.now())
        StepRun.objects.create(
            run=run, node=f"generate-{number}", kind="generate", state=RunState.SUCCEEDED,
            started_at=end - dt.timedelta(seconds=seconds), finished_at=end, **values,
        )  # fmt: skip

    for number, seconds in enumerate((1, 2, 3, 40)):
        step(number, seconds)
    step(10, 500, source=StepRun.Source.REUSED)
    step(11, 900, finished_at=ago(3600))
    found = scrape()
    name = "imagepipe_step_duration_seconds_recent"
    assert found[name, "generate", "0.5"] == pytest.approx(3)
    assert found[name, "generate", "0.99"] == pytest.approx(40)
    assert found["imagepipe_steps_recent", "generate", "computed"] == 4
    assert found["imagepipe_steps_recent", "generate", "reused"] == 1


def test_workers_and_engines(scrape, db):
    now = timezone.now()
    QueueWorker.objects.create(
        name="w:1", state="busy", started_at=now, seen_at=now, model_swaps=7, memory_bytes=5
    )
    QueueWorker.objects.create(name="gone", state="busy", started_at=now, seen_at=ago(600))
    EngineHealth.objects.create(name="diffusers", open_until=ago(-60))
    EngineHealth.objects.create(name="storage", open_until=ago(60))
    found = scrape()
    assert found["imagepipe_workers", "busy"] == 1
    assert found["imagepipe_workers", "idle"] == 0
    assert found["imagepipe_model_swaps", "w:1"] == 7
    assert found["imagepipe_engine_resting", "diffusers"] == 1
    assert found["imagepipe_engine_resting", "storage"] == 0
    assert ("imagepipe_model_swaps", "gone") not in found


def test_a_scrape_costs_the_same_queries_however_long_the_queue_is(scrape, start):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            scrape()
        return len(context)

    few = queries()
    assert few <= 10
    for priority in range(-100, 100, 25):
        start(priority=priority)
    assert queries() == few


def test_without_the_token_there_is_nothing_to_see(db, settings):
    url = reverse("imagepipe:metrics")
    right = {"authorization": f"Bearer {TOKEN}"}
    assert Client().get(url, headers=right).status_code == 404
    assert Client().get(url, headers={"authorization": "Bearer "}).status_code == 404
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"METRICS_TOKEN": TOKEN}
    assert Client().get(url).status_code == 401
    for wrong in ("Bearer x", TOKEN, "Bearer ", "Bearer ä\x00", f"Bearer {TOKEN} "):
        response = Client().get(url, headers={"authorization": wrong})
        assert response.status_code == 401
        assert b"imagepipe_queue" not in response.content
    assert Client().post(url, headers=right).status_code == 405


def test_labels_cannot_break_the_format():
    parser = pytest.importorskip("prometheus_client.parser")
    nasty = 'a"b\\c\nd} 5'
    text = render([("x", "two\nlines", (("name", nasty),), 1.5), ("x", "", (), 2)])
    [family] = parser.text_string_to_metric_families(text)
    assert family.documentation == "two\nlines"
    assert [(s.labels, s.value) for s in family.samples] == [({"name": nasty}, 1.5), ({}, 2)]


def test_money_by_engine_and_currency(scrape, run):
    for engine, amount, seconds in (("far", "0.04", 5), ("far", "0.06", 9), ("far", "7", 1e4)):
        Expense.objects.create(
            run=run, node="generate-00", engine=engine, amount=amount, currency="EUR",
            seconds=1, spent_at=ago(seconds),
        )  # fmt: skip
    assert scrape()["imagepipe_spent_recent", "far", "EUR"] == pytest.approx(0.1)
