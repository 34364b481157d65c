"""500 mixed jobs on four workers, one killed at random every two seconds, one server crash.

By hand; one cell (transport x database), or all that are not in the results yet::

    python -m tests.campaigns.chaos.campaign celery-rabbitmq postgresql --seed 2
    python -m tests.campaigns.chaos.campaign

Adds a line of JSON to ``results.jsonl`` with what happened and what was wrong (nothing,
hopefully), and prints it. The same seed gives the same jobs, and kills and a crash at the same
moments after the start. Of the servers, an odd seed crashes the database, an even one the
broker; where there is none, all workers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.campaigns.chaos.servers import Postgres, RabbitMQ, Redis, running, wait_until
from tests.sandbox import SANDBOX_CELERY, SANDBOX_SETTINGS, SANDBOX_SETUP, Sandbox

TRANSPORTS = ("database", "celery-redis", "celery-rabbitmq", "rq")
DATABASES = ("sqlite", "postgresql")
BROKERS = {"celery-redis": Redis, "celery-rabbitmq": RabbitMQ, "rq": Redis}
WORKERS = 4
PATIENCE = 600
"""Seconds for what happens once, on a machine that has other work."""
RESULTS = Path(__file__).with_name("results.jsonl")
FATES = ("plain", "plain", "plain", "plain", "flaky", "poison", "killer")
OPTIONS = {"LEASE_SECONDS": 3, "MAX_ATTEMPTS": 50, "RETRY_SECONDS": 0.5, "AGEING_SECONDS": 60}

PREPARE = """
from django.db import connection
from django.contrib.auth import get_user_model
for name in ("ada", "ben", "cem"):
    get_user_model().objects.create_user(name)
with connection.cursor() as cursor:
    cursor.execute("create table chaos_ends (run_id bigint, state varchar(16))")
    if connection.vendor == "sqlite":
        cursor.execute('''create trigger chaos_end after update of state on imagepipe_run
            when old.state in ('queued', 'running')
            and new.state in ('succeeded', 'failed', 'cancelled')
            begin insert into chaos_ends values (new.id, new.state); end''')
    else:
        cursor.execute('''create function chaos_end() returns trigger language plpgsql as $$
            begin insert into chaos_ends values (new.id, new.state); return new; end $$''')
        cursor.execute('''create trigger chaos_end after update of state on imagepipe_run
            for each row when (old.state in ('queued', 'running')
            and new.state in ('succeeded', 'failed', 'cancelled'))
            execute function chaos_end()''')
"""
SUBMIT = """
import json, os
if os.environ["SANDBOX_ENGINE"] == "celery":
    import sandbox_celery
    sandbox_celery.app.loader.import_default_modules()
import datetime as dt
from django.contrib.auth import get_user_model
from django.utils import timezone
from imagepipe.models import RegisteredModel, Run
from imagepipe.workflow.actions import CancelRun, queue_run
from django.db import transaction
from tests.campaigns.chaos import steps
steps.register()
users = {user.username: user for user in get_user_model().objects.all()}
model = RegisteredModel.objects.get()
for job in json.load(open("jobs.json")):
    graph = steps.graph(job["number"], job["pictures"], job["seconds"], job["fate"])
    run = Run(
        title=f"job {job['number']}", graph=graph.to_dict(), graph_sha256=graph.sha256,
        request={"job": job}, priority=job["priority"], model=model,
        deadline=job["deadline"] and timezone.now() + dt.timedelta(seconds=job["deadline"]),
    )
    with transaction.atomic():
        queue_run(run, users[job["user"]])
    if job["cancel"]:
        CancelRun(run, None).execute()
"""
JUDGE = """
import json
from collections import Counter
from django.db import connection
from imagepipe.conf import get_settings
from imagepipe.models import Candidate, Run, StepRun
from imagepipe.workflow import blobs, sweep
wrong = []
with connection.cursor() as cursor:
    cursor.execute("select run_id from chaos_ends")
    ends = Counter(row[0] for row in cursor.fetchall())
for run in Run.objects.prefetch_related("steps", "candidates"):
    job = run.request["job"]
    expected = {"poison": "failed"}.get(job["fate"], "succeeded")
    if job["cancel"]:
        expected = "cancelled"
    if run.state != expected:
        wrong.append(f"{run}: {run.state} instead of {expected}: {run.error_code} {run.error}")
    if ends[run.pk] != 1:
        wrong.append(f"{run}: ended {ends[run.pk]} times")
    if run.lease_owner or run.lease_until:
        wrong.append(f"{run}: leased still")
    offered = sorted(c.index for c in run.candidates.all())
    if offered != (list(range(job["pictures"])) if expected == "succeeded" else []):
        wrong.append(f"{run}: candidates {offered}")
    if expected == "succeeded":
        states = Counter(step.state for step in run.steps.all())
        if states != {"succeeded": 3 * job["pictures"]}:
            wrong.append(f"{run}: steps {dict(states)}")
    for candidate in run.candidates.all():
        blobs.read(candidate.sha256)
unnamed = sweep.sweep(kept_seconds=0)
kept = sum(1 for folder in sweep._list(get_settings().private_storage, "work")[0]
           for _ in sweep._list(get_settings().private_storage, f"work/{folder}")[1])
named = set(Candidate.objects.values_list("sha256", flat=True)) | set(
    StepRun.objects.exclude(output=None).values_list("output__sha256", flat=True))
if kept != len(named - {None}):
    wrong.append(f"{kept} files kept, {len(named - {None})} named")
print(json.dumps({
    "runs": Run.objects.count(), "states": Counter(Run.objects.values_list("state", flat=True)),
    "candidates": Candidate.objects.count(),
    "attempts": sum(Run.objects.values_list("attempt", flat=True)),
    "most_attempts": max(Run.objects.values_list("attempt", flat=True)),
    "swept": [unnamed.partial, unnamed.unnamed, unnamed.previews],
    "wrong": wrong,
}))
"""


def make_jobs(count: int, seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {
            "number": number,
            "user": chance.choice(("ada", "ada", "ada", "ben", "cem")),
            "priority": chance.choice((-90, 0, 0, 0, 30, 90)),
            "pictures": chance.choice((1, 1, 2, 3)),
            "seconds": round(chance.uniform(0.01, 0.2), 3),
            "fate": chance.choice(FATES),
            "deadline": chance.choice((None, None, None, 60)),
            "cancel": chance.random() < 0.03,
        }
        for number in range(count)
    ]


def run_cell(
    transport: str, database: str, jobs: int, seed: int, every: float = 2, limit: float = 900
) -> dict[str, Any]:
    """Play one cell; returns what happened, with ``wrong`` as sentences."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        engine = transport.partition("-")[0]
        box = Sandbox(folder, TASK_ENGINE=engine, **OPTIONS)
        box.environment["SANDBOX_ENGINE"] = engine
        servers: list[Any] = []
        if transport in BROKERS:
            broker = stack.enter_context(running(BROKERS[transport], folder))
            amqp = transport == "celery-rabbitmq"
            box.environment["SANDBOX_AMQP" if amqp else "SANDBOX_REDIS"] = broker.address
            servers.append(broker)
        if database == "postgresql":
            postgres = stack.enter_context(running(Postgres, folder))
            box.environment["SANDBOX_POSTGRES"] = json.dumps(postgres.settings)
            servers.append(postgres)
        (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS)
        (folder / "sandbox_celery.py").write_text(SANDBOX_CELERY)
        (folder / "jobs.json").write_text(json.dumps(make_jobs(jobs, seed)))
        box.run(SANDBOX_SETUP + PREPARE, PATIENCE)
        return _play(box, engine, servers, seed, every, limit)


def _play(
    box: Sandbox, engine: str, servers: list[Any], seed: int, every: float, limit: float
) -> dict[str, Any]:
    chance = random.Random(seed)
    pool = box.start_command("-m", "tests.campaigns.chaos.pool", engine, str(WORKERS))
    kills, crashed = 0, list[str]()
    try:
        wait_until((box.folder / "pids").exists, "the workers did not start", 180)
        box.run(SUBMIT, PATIENCE)
        began = time.monotonic()
        crash_at = chance.uniform(4, 10)
        watcher = box.start(WATCH)
        while watcher.poll() is None:
            time.sleep(every)
            passed = time.monotonic() - began
            if passed > limit:
                watcher.kill()
                break
            pids = [int(pid) for pid in (box.folder / "pids").read_text().split()]
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(pids), signal.SIGKILL)
                kills += 1
            if passed > crash_at and not crashed:
                for server in servers[-1:] if seed % 2 else servers[:1]:
                    crashed.append(type(server).__name__)
                    server.crash()
                    time.sleep(1)
                    server.start()
                if not servers:
                    crashed.append("all workers")
                    for pid in pids:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
        seconds = time.monotonic() - began
    finally:
        pool.terminate()
        pool.wait(timeout=20)
    verdict = box.run(JUDGE, PATIENCE)
    if verdict["wrong"]:
        shutil.copy(box.folder / "log.txt", tempfile.gettempdir())
    story = {"seed": seed, "seconds": round(seconds, 1), "kills": kills, "crashed": crashed}
    return story | verdict


WATCH = """
import time
from django.db import OperationalError, InterfaceError, connection
from imagepipe.models import Run
while True:
    try:
        if not Run.objects.filter(state__in=["queued", "running"]).exists():
            break
    except (OperationalError, InterfaceError):
        connection.close()
    time.sleep(0.5)
"""


def play(transport: str, database: str, jobs: int, seed: int) -> dict[str, Any]:
    """Play a cell, unless that was done: its line of the results."""
    cell = {"jobs": jobs, "transport": transport, "database": database, "seed": seed}
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    for earlier in map(json.loads, lines):
        if cell.items() <= earlier.items():
            return earlier
    date = time.strftime("%Y-%m-%d", time.gmtime())
    line = {"date": date} | cell | run_cell(transport, database, jobs, seed)
    with RESULTS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return line


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("transport", choices=TRANSPORTS, nargs="?")
    parser.add_argument("database", choices=DATABASES, nargs="?")
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    wrong = False
    for number, (transport, database) in enumerate(itertools.product(TRANSPORTS, DATABASES), 1):
        if options.transport in (None, transport) and options.database in (None, database):
            line = play(transport, database, options.jobs, options.seed or number)
            print(json.dumps(line))  # noqa: T201
            wrong |= bool(line["wrong"])
    sys.exit(wrong)


if __name__ == "__main__":
    main()
