"""Turns as real workers take them: urgent starts, two users at 100 : 1, two models.

::

    python -m tests.benchmarks.turns sqlite
    python -m tests.benchmarks.turns postgresql

The scheduler is tried on a simulated clock by ``tests/workflow/test_scheduling.py``; here real
workers claim from a real database. Prints one line of JSON.

urgent: a queue of two-second jobs on two workers, an urgent one submitted now and then; seconds
until it starts. shares: 100 jobs of one person, then one of another, on one worker; how many
jobs were begun before that one. bundles: 40 jobs alternating between two models, some with a
deadline, on one worker; how often the worker changed models, and deadlines missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.campaigns.chaos.servers import Postgres, running
from tests.sandbox import SANDBOX_SETTINGS, SANDBOX_SETUP, Sandbox

WORKER = """
import signal, sys, time
from imagepipe.workflow.steps import registry
from imagepipe.workflow.worker import Worker
registry.get("generate")

def work(context):
    end = time.monotonic() + context.node.params["seconds"]
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(0.1, left))
        context.check()
    return {}

registry.register(registry.Step("work", work))
worker = Worker(poll=0.1)
signal.signal(signal.SIGTERM, lambda *_: worker.stop())
worker.run_forever()
"""
QUEUE = """
import datetime as dt, json, time
from django.contrib.auth.models import User
from django.utils import timezone
from imagepipe.models import RegisteredModel, QueueWorker, Run
from imagepipe.workflow.graph import Graph, Node

def queue(seconds, **values):
    graph = Graph((Node.create("work", "work", {{"seconds": seconds}}),))
    values = {{"title": "t", "graph": graph.to_dict(), "graph_sha256": graph.sha256}} | values
    return Run.objects.create(estimated_seconds=seconds, **values)

def wait(runs):
    while runs.exclude(state__in=("succeeded", "failed")).exists():
        time.sleep(0.2)
"""
URGENT = QUEUE + """
for number in range(60):
    queue(2.0)
while Run.objects.filter(state="running").count() < 2:
    time.sleep(0.1)
waits = []
for number in range({urgent}):
    time.sleep(1.3)
    run = queue(2.0, priority=80)
    wait(Run.objects.filter(pk=run.pk))
    run.refresh_from_db()
    waits.append(round((run.started_at - run.created_at).total_seconds(), 2))
Run.objects.filter(state="queued").update(state="cancelled")
wait(Run.objects.exclude(state="cancelled"))
print(json.dumps({{"waiting": 60, "urgent_waits": sorted(waits)}}))
"""
SHARES = QUEUE + """
many, few = (User.objects.create_user(name) for name in ("many", "few"))
busy = [queue(0.2, created_by=many) for _ in range(100)]
while not Run.objects.filter(created_by=many, state="succeeded").count() >= 5:
    time.sleep(0.05)
lone = [queue(0.2, created_by=few) for _ in range(3)]
wait(Run.objects.filter(created_by=few))
before = []
for run in lone:
    run.refresh_from_db()
    others = Run.objects.filter(created_by=many, started_at__lt=run.started_at)
    before.append(others.filter(started_at__gt=run.created_at).count())
Run.objects.filter(state="queued").update(state="cancelled")
wait(Run.objects.exclude(state="cancelled"))
print(json.dumps({{"jobs_of_the_other_before_each_of_three": before}}))
"""
BUNDLES = QUEUE + """
models = [
    RegisteredModel.objects.create(
        slug=slug, name=slug, backend="fake", location="fake", licence="MIT",
        native_width=64, native_height=64, state="allowed",
    )
    for slug in ("one", "two")
]
Run.objects.update(paused=True)
now = timezone.now()
runs = [
    queue(0.3, model=models[number % 2], paused=True,
          deadline=now + dt.timedelta(seconds=8) if number in (31, 33) else None)
    for number in range(40)
]
mine = Run.objects.filter(pk__in=[run.pk for run in runs])
mine.update(paused=False)
wait(mine)
order = list(mine.order_by("started_at").values_list("model__slug", flat=True))
missed = [run.pk for run in mine.exclude(deadline=None) if run.finished_at > run.deadline]
swaps = sum(one != other for one, other in zip(order, order[1:]))
print(json.dumps({{"jobs": len(order), "changes_of_model": swaps, "deadlines": 2,
                   "missed": len(missed)}}))
"""


@contextlib.contextmanager
def workers(box: Sandbox, count: int) -> Iterator[None]:
    processes = [
        box.start_command("-c", "import django; django.setup()\n" + WORKER)
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def measure(database: str, urgent: int) -> dict[str, object]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        box = Sandbox(folder)
        if database == "postgresql":
            server = stack.enter_context(running(Postgres, folder))
            box.environment["SANDBOX_POSTGRES"] = json.dumps(server.settings)
        (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS)
        box.run(SANDBOX_SETUP)
        told: dict[str, object] = {"database": database}
        with workers(box, 2):
            told["urgent"] = box.run(URGENT.format(urgent=urgent), seconds=300)
        with workers(box, 1):
            told["shares"] = box.run(SHARES.format(), seconds=300)
            told["bundles"] = box.run(BUNDLES.format(), seconds=300)
        return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--urgent", type=int, default=12)
    options = parser.parse_args()
    print(json.dumps(measure(options.database, options.urgent)))


if __name__ == "__main__":
    main()
