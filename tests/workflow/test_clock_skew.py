"""Workers whose clocks are wrong by an hour, on one real PostgreSQL server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.campaigns.chaos.servers import Postgres, running
from tests.sandbox import SANDBOX_SETUP
from tests.workflow.test_worker_processes import QUEUE, wait_for

AHEAD, RIGHT, BEHIND = 3600, 0, -3600
WORKER = """
import datetime, time
from django.utils import timezone
from django.core.management import call_command
now, seconds = timezone.now, time.time
timezone.now = lambda: now() + datetime.timedelta(seconds={skew})
time.time = lambda: seconds() + {skew}
call_command("imagepipe", "worker", "--poll", "0.1")
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    with running(Postgres, tmp_path) as server:
        yield server


@pytest.mark.slow
def test_a_wrong_clock_neither_steals_a_lease_nor_loses_nor_keeps_one(sandbox, server):
    box = sandbox(LEASE_SECONDS=3, BACKENDS={"fake": {"seconds_per_step": 0.15}})
    box.environment |= {"SANDBOX_POSTGRES": json.dumps(server.settings)}
    box.run(SANDBOX_SETUP)
    address = f"host=127.0.0.1 port={server.port} user=imagepipe dbname=postgres"
    columns = "lease_owner, id, attempt, finished_at - started_at"

    def three(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(address) as database:
            rows = database.execute(query).fetchall()
        return rows if len(rows) == 3 else []

    def runs(condition: str) -> list[tuple[Any, ...]]:
        """All of them, once the condition holds for each."""
        return three(" ".join(["select", columns, "from imagepipe_run where", condition]))

    workers: dict[int, subprocess.Popen[str]] = {}
    try:
        for skew in (AHEAD, RIGHT, BEHIND):
            workers[skew] = box.start(WORKER.format(skew=skew))
        wait_for(lambda: three("select name from imagepipe_queueworker"))
        box.run(QUEUE.format(count=3, candidates=2))
        # All three have looked for lost leases several times by then.
        taken = wait_for(lambda: runs("state = 'running' and progress > 0.35"))
        mine = {int(owner.split(":")[1]): key for owner, key, *_rest in taken}
        assert set(mine) == {worker.pid for worker in workers.values()}
        assert {attempt for _owner, _key, attempt, _took in taken} == {1}
        workers[AHEAD].kill()
        ended = wait_for(lambda: runs("state = 'succeeded'"))
    finally:
        for worker in workers.values():
            worker.kill()
            worker.communicate(timeout=30)
    attempts = {key: attempt for _owner, key, attempt, _took in ended}
    assert attempts == {
        mine[workers[AHEAD].pid]: 2,
        mine[workers[RIGHT].pid]: 1,
        mine[workers[BEHIND].pid]: 1,
    }
    assert all(0 < took.total_seconds() < 120 for _owner, _key, _attempt, took in ended)
