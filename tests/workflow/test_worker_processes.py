from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest

QUEUE = """
from imagepipe.models import PromptTemplate, Run
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
for number in range({count}):
    StartRun(
        Run(title=f"r{{number}}", template=PromptTemplate.objects.get(), priority=number % 3),
        None,
        brief=Brief(variables={{"subject": f"blue tea {{number}}"}}, candidates={candidates}),
    ).execute()
"""
CLAIM_ALL = """
import json, threading
from django.db import connection
from imagepipe.workflow import leases
claimed, failures = [], []
def work():
    owner = leases.new_owner()
    try:
        while (run := leases.claim(owner)) is not None:
            claimed.append([run.pk, run.priority, owner])
    except Exception as error:
        failures.append(repr(error))
    finally:
        connection.close()
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
assert not failures, failures
print(json.dumps(claimed))
"""


def read_state(box: Any) -> dict[str, Any]:
    """Read the only run straight from the file, as a process of its own would take seconds."""
    with contextlib.closing(sqlite3.connect(box.folder / "db.sqlite3", timeout=20)) as database:
        run = database.execute(
            "select state, attempt, lease_owner, progress from imagepipe_run"
        ).fetchone() or ("", 0, "", 0.0)
        steps = database.execute(
            "select node, state, attempt, output from imagepipe_steprun"
        ).fetchall()
        candidates = database.execute(
            'select "index", state from imagepipe_candidate order by id'
        ).fetchall()
        return dict(zip(("state", "attempt", "owner", "progress"), run, strict=True)) | {
            "steps": {node: (state, attempt) for node, state, attempt, _ in steps},
            "outputs": {node: output for node, _, _, output in steps},
            "candidates": candidates,
        }


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("did not happen in time")


WORK = """
from django.core.management import call_command
call_command("imagepipe", "worker", "--poll", "0.1")
"""


@pytest.mark.slow
def test_no_run_is_claimed_twice_by_threads_of_several_processes(sandbox):
    box = sandbox()
    box.run(QUEUE.format(count=60, candidates=1))
    processes = [box.start(CLAIM_ALL) for _ in range(3)]
    outputs = []
    for process in processes:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        outputs.append(json.loads(output.splitlines()[-1]))
    claimed = [pk for claims in outputs for pk, _, _ in claims]
    assert len(claimed) == len(set(claimed)) == 60
    for claims in outputs:
        for owner in {owner for _, _, owner in claims}:
            priorities = [priority for _, priority, by in claims if by == owner]
            assert priorities == sorted(priorities, reverse=True)


@pytest.mark.slow
def test_a_killed_worker_is_succeeded_by_another_that_repeats_nothing(sandbox):
    box = sandbox(LEASE_SECONDS=2, BACKENDS={"fake": {"seconds_per_step": 0.15}})
    victim = box.start(QUEUE.format(count=1, candidates=2) + WORK)
    try:
        # In the middle of the second picture, the first one being offered.
        before = wait_for(
            lambda: (
                now
                if (now := read_state(box))["steps"].get("generate-01", [""])[0] == "running"
                else None
            )
        )
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=30)
    assert before["state"] == "running"
    assert before["candidates"] == [(0, "offered")]
    rescuer = box.start(WORK)
    try:
        after = wait_for(
            lambda: now if (now := read_state(box))["state"] == "succeeded" else None
        )
    finally:
        rescuer.send_signal(signal.SIGTERM)
        output, errors = rescuer.communicate(timeout=30)
    assert rescuer.returncode == 0, errors
    assert after["attempt"] == 2
    assert after["candidates"] == [(0, "offered"), (1, "offered")]
    finished_before = {n for n, (state, _) in before["steps"].items() if state == "succeeded"}
    assert {"prompt-policy", "generate-00", "offer-00"} <= finished_before
    for node, (state, attempt) in after["steps"].items():
        assert (state, attempt) == ("succeeded", 2 if node == "generate-01" else 1), node
    for node in finished_before:
        assert after["outputs"][node] == before["outputs"][node]


@pytest.mark.slow
def test_sigterm_puts_the_run_back_and_leaves_with_status_zero(sandbox):
    box = sandbox(BACKENDS={"fake": {"seconds_per_step": 0.5}})
    worker = box.start(QUEUE.format(count=1, candidates=1) + WORK)
    try:
        wait_for(lambda: read_state(box)["progress"] > 0)
    finally:
        worker.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        output, errors = worker.communicate(timeout=30)
    assert worker.returncode == 0, errors
    assert time.monotonic() - asked < 5
    assert "Worker stopped." in output
    now = read_state(box)
    assert (now["state"], now["attempt"], now["owner"]) == ("queued", 0, "")


@pytest.mark.slow
def test_cancelling_ends_a_running_run_within_a_step(sandbox):
    box = sandbox(BACKENDS={"fake": {"seconds_per_step": 0.4}})
    worker = box.start(QUEUE.format(count=1, candidates=1) + WORK)
    try:
        wait_for(lambda: read_state(box)["progress"] > 0)
        box.run(
            "from imagepipe.models import Run\n"
            "from imagepipe.workflow.actions import CancelRun\n"
            "CancelRun(Run.objects.get(), None).execute()"
        )
        now = wait_for(
            lambda: now if (now := read_state(box))["state"] == "cancelled" else None,
            seconds=10,
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    assert now["steps"]["generate-00"] == ("cancelled", 1)
    assert now["candidates"] == []


@pytest.mark.slow
def test_once_executes_what_waits_and_ends(sandbox):
    box = sandbox()
    box.run(QUEUE.format(count=2, candidates=1))
    worker = box.manage("imagepipe", "worker", "--once")
    output, errors = worker.communicate(timeout=120)
    assert worker.returncode == 0, errors
    assert "2 runs executed." in output
