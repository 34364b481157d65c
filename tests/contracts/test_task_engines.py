"""What every task engine must do: bring a run to a worker once, and in order of priority."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.chaos.servers import RabbitMQ, running
from tests.sandbox import Sandbox, sandbox, sandbox_original

__all__ = ["sandbox", "sandbox_original"]

CELERY = ("-m", "celery", "-A", "sandbox_celery", "worker", "-P", "solo", "-c", "1")
WORKERS = {
    "database": ("-m", "django", "imagepipe", "worker", "--poll", "0.1"),
    "celery": (*CELERY, "--without-gossip", "--without-mingle", "--without-heartbeat"),
    "celery-rabbitmq": (*CELERY, "--without-gossip", "--without-mingle"),
    "rq": (
        "-m", "django", "rqworker", "high", "default", "low",
        "--worker-class", "rq.SimpleWorker",
    ),
}  # fmt: skip
PREFORK = (*CELERY[:-3], "prefork", "-c", "1", "--without-gossip", "--without-mingle")
NEEDS = {
    "celery": ("celery", "redis"),
    "celery-rabbitmq": ("celery", "amqp"),
    "rq": ("django_rq", "redis"),
}
START = """
import json, os, sys, time
if os.environ["SANDBOX_ENGINE"] == "celery":
    import sandbox_celery
    sandbox_celery.app.loader.import_default_modules()
from imagepipe.models import PromptTemplate, Run
from imagepipe.workflow import dispatch
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
def count():
    return dispatch._count_messages()("") if {counted} else 0
before = count()
for priority in {priorities}:
    StartRun(
        Run(title=f"p{{priority}}", template=PromptTemplate.objects.get(), priority=priority),
        None,
        brief=Brief(variables={{"subject": f"green tea {{priority}}"}}, candidates=1, steps=4),
    ).execute()
end = time.monotonic() + 10
while {counted} and count() < before + 3 and time.monotonic() < end:
    time.sleep(0.1)  # a broker counts a moment later
dispatch.REDISPATCH_AFTER = 0
again = dispatch.redispatch_waiting() if {counted} else 0
print(json.dumps([count() - before, again]), flush=True)
for _ in sys.stdin.read().split():
    dispatch.dispatch(Run.objects.get(title="p0").uid.hex, 0)
"""
"""Starts the runs; at the end of its input, one message more for each word of it."""


def require(available: bool, what: str) -> None:
    """Skip with a reason on a developer's machine, fail where everything must be there."""
    if available:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed, but CI must test it.")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require(shutil.which("redis-server") is not None, "redis-server")
    folder = tmp_path_factory.mktemp("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _answers(port), "redis-server did not start")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require(shutil.which("rabbitmq-server") is not None, "rabbitmq-server")
    with running(RabbitMQ, tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server.address


@pytest.fixture(params=WORKERS)
def engine(
    request: pytest.FixtureRequest, sandbox: Callable[..., Sandbox]
) -> tuple[str, Sandbox]:
    name = request.param
    for module in NEEDS.get(name, ()):
        require(importlib.util.find_spec(module) is not None, module)
    kind = name.partition("-")[0]
    box = sandbox(TASK_ENGINE=kind)
    box.environment |= {"SANDBOX_ENGINE": kind}
    if name == "celery-rabbitmq":
        box.environment |= {"SANDBOX_AMQP": request.getfixturevalue("rabbitmq")}
    elif name in NEEDS:
        box.environment |= {"SANDBOX_REDIS": request.getfixturevalue("redis")}
    return name, box


@contextlib.contextmanager
def worker(name: str, box: Sandbox) -> Iterator[None]:
    process = box.start_command(*WORKERS[name], SANDBOX_CELERY_WORKER="1")
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.slow
def test_an_engine_executes_runs_once_and_the_urgent_ones_first(
    engine: tuple[str, Sandbox],
) -> None:
    name, box = engine
    counted = name in ("celery", "celery-rabbitmq", "rq")
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(
            box.start(START.format(priorities=[-90, 0, 90], counted=counted))
        )
        assert site.stdout
        sent = json.loads(site.stdout.readline() or "null")
        if counted:  # messages that wait are counted and not sent again
            assert sent == [3, 0]
        assert [row[1] for row in read_runs(box)] == ["queued"] * 3
        stack.enter_context(worker(name, box))
        wait_for(
            lambda: {row[1] for row in read_runs(box)} == {"succeeded"},
            lambda: (box.folder / "log.txt").read_text()[-3000:],
        )
        _output, errors = site.communicate("again again again", timeout=60)
        assert site.returncode == 0, errors
        time.sleep(1.5)
        runs = read_runs(box)
    assert [(title, state, attempt) for title, state, attempt, _ in runs] == [
        ("p90", "succeeded", 1),
        ("p0", "succeeded", 1),
        ("p-90", "succeeded", 1),
    ]
    assert count_candidates(box) == 3


REAL_MODEL = """
from django.core.management import call_command
from imagepipe.models import PromptTemplate, RegisteredModel
call_command("imagepipe", "register-model", {folder!r}, "--licence", "MIT", "--allow")
model = RegisteredModel.objects.get(slug="tiny")
PromptTemplate.objects.update(model=model, width=128, height=128)
"""
READ_BACK = """
import json
from imagepipe.models import Candidate, QueueWorker
from imagepipe.workflow import blobs
print(json.dumps({
    "signed": [b"c2pa" in blobs.read(c.sha256) for c in Candidate.objects.all()],
    "backends": [c.recipe["environment"]["backend"] for c in Candidate.objects.all()],
    "workers": [[w.pid, w.executed] for w in QueueWorker.objects.all()],
}))
"""


@pytest.mark.slow
def test_a_forked_celery_worker_computes_and_signs_with_real_libraries_twice(
    redis: str, sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """Neither torch's threads nor the signer's contexts are made before the fork."""
    pytest.importorskip("diffusers")
    from tests.generation.tiny_model import build_tiny_model

    box = sandbox(TASK_ENGINE="celery")
    box.environment |= {"SANDBOX_ENGINE": "celery", "SANDBOX_REDIS": redis}
    model = REAL_MODEL.format(folder=str(build_tiny_model(tmp_path / "tiny")))
    box.run(model + START.format(priorities=[0, 50], counted=False))
    process = box.start_command(*PREFORK, SANDBOX_CELERY_WORKER="1")
    try:
        wait_for(
            lambda: {row[1] for row in read_runs(box)} <= {"succeeded", "failed"},
            lambda: (box.folder / "log.txt").read_text()[-3000:],
            seconds=150,
        )
        found = box.run(READ_BACK)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert [row[:3] for row in read_runs(box)] == [
        ("p50", "succeeded", 1),
        ("p0", "succeeded", 1),
    ]
    assert found["signed"] == [True, True] and found["backends"] == ["diffusers"] * 2
    [(pid, _executed)] = found["workers"]
    assert pid != process.pid


@pytest.mark.slow
@pytest.mark.parametrize("name", ["celery", "rq"])
def test_a_broker_that_is_down_loses_nothing(
    name: str, sandbox: Callable[..., Sandbox]
) -> None:
    for module in NEEDS[name]:
        require(importlib.util.find_spec(module) is not None, module)
    box = sandbox(TASK_ENGINE=name)
    box.environment |= {"SANDBOX_ENGINE": name, "SANDBOX_REDIS": "redis://127.0.0.1:1/0"}
    box.run(START.format(priorities=[0], counted=False))
    assert [row[:3] for row in read_runs(box)] == [("p0", "queued", 0)]


def read_runs(box: Sandbox) -> list[Any]:
    """Title, state and attempt of all runs, in the order in which they were taken."""
    with _database(box.folder) as database:
        return database.execute(
            "select title, state, attempt, started_at from imagepipe_run order by started_at"
        ).fetchall()


def count_candidates(box: Sandbox) -> int:
    with _database(box.folder) as database:
        return database.execute("select count(*) from imagepipe_candidate").fetchone()[0]


def wait_for(condition: Callable[[], Any], explain: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(explain() if callable(explain) else explain)


def _database(folder: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(folder / "db.sqlite3", timeout=20))


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
