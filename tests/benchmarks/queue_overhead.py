"""What the queue and its bookkeeping cost, beside calling the work in a loop.

::

    python -m tests.benchmarks.queue_overhead sqlite
    python -m tests.benchmarks.queue_overhead postgresql

Prints one line of JSON. Wall time depends on what else the machine does, so the processor's
time is told beside it, and how many statements a run and a step cost, which no load changes
(begin and commit count). The two ways of the two-second jobs take turns. Celery alone is an
empty task in one worker of its own on Redis, late acknowledgement and prefetch 1 as here;
rounds of it and of the queue take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from pathlib import Path

from tests.campaigns.chaos.servers import Postgres, Redis, running, wait_until
from tests.sandbox import SANDBOX_SETTINGS, SANDBOX_SETUP, Sandbox

EMPTY = """
import json, time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from imagepipe.models import Run
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.steps import registry
from imagepipe.workflow.worker import Worker
registry.get("generate")
registry.register(registry.Step("nothing", lambda context: {{}}))
graph = Graph(tuple(Node.create(f"n{{i:02d}}", "nothing") for i in range({steps})))
short = Graph(graph.nodes[:1])
for number, one in enumerate([short, short, graph, *[graph] * {runs}]):
    Run.objects.create(title=str(number), graph=one.to_dict(), graph_sha256=one.sha256)
worker = Worker()
worker.keep_house()
counts = []
for _ in range(3):
    with CaptureQueriesContext(connection) as queries:
        assert worker._execute_next()
    counts.append(len(queries))
wall, cpu = time.perf_counter(), time.process_time()
assert worker.run_until_empty() == {runs}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
assert not Run.objects.exclude(state="succeeded").exists()
print(json.dumps({{
    "steps_per_second": round({runs} * {steps} / wall, 1),
    "steps_per_cpu_second": round({runs} * {steps} / cpu, 1),
    "cpu_ms_per_run": round(cpu * 1000 / {runs}, 1),
    "statements_of_a_run_with_one_step": counts[1],
    "statements_of_a_further_step": round((counts[2] - counts[1]) / ({steps} - 1), 1),
}}))
"""
TWO_SECONDS = """
import json, time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from imagepipe.models import Run
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.steps import registry
from imagepipe.workflow.worker import Worker
registry.get("generate")

def work(context=None):
    for step in range(20):
        time.sleep(0.1)
        if context is not None:
            context.check()
            context.report(step / 20, "working")
    return {{}}

registry.register(registry.Step("work", work))
graph = Graph((Node.create("work", "work"),))
worker, pairs = Worker(), []
worker.keep_house()
for number in range({pairs}):
    began = time.perf_counter()
    work()
    alone = time.perf_counter() - began
    run = Run(title=str(number), graph=graph.to_dict(), graph_sha256=graph.sha256)
    run.save()
    began = time.perf_counter()
    assert worker._execute_next()
    pairs.append((time.perf_counter() - began) / alone - 1)
    run.refresh_from_db()
    assert run.state == "succeeded"
pairs.sort()
Run(title="counted", graph=graph.to_dict(), graph_sha256=graph.sha256).save()
with CaptureQueriesContext(connection) as queries:
    assert worker._execute_next()
print(json.dumps({{"statements_of_a_two_second_job": len(queries),
    "overhead_percent_median": round(100 * pairs[len(pairs) // 2], 2),
    "overhead_percent_worst": round(100 * pairs[-1], 2)}}))
"""
CELERY = """
from __future__ import annotations
import json, os, time
from celery import Celery
app = Celery("alone", broker=os.environ["SANDBOX_REDIS"])
app.conf.update(worker_prefetch_multiplier=1, task_acks_late=True, task_ignore_result=True)
seen = []

@app.task
def nothing(last):
    seen.append((time.perf_counter(), time.process_time()))
    if last:
        (wall, cpu), (wall_end, cpu_end) = seen[0], seen[-1]
        with open("celery.json.new", "w") as file:
            json.dump([(len(seen) - 1) / (wall_end - wall),
                       (len(seen) - 1) / (cpu_end - cpu)], file)
        os.replace("celery.json.new", "celery.json")
        seen.clear()
"""
SEND = """
import sys
sys.path.insert(0, ".")
import alone
for number in range({tasks}):
    alone.nothing.delay(number == {tasks} - 1)
"""


def celery_alone(box: Sandbox, tasks: int = 400) -> tuple[float, float]:
    """Tasks per second, and per second of processor time."""
    (box.folder / "alone.py").write_text(CELERY)
    done = box.folder / "celery.json"
    box.run(SEND.format(tasks=tasks))
    worker = box.start_command(
        "-m", "celery", "-A", "alone", "worker", "-P", "solo", "--loglevel=error",
        "--without-gossip", "--without-mingle",
    )  # fmt: skip
    try:
        wait_until(done.exists, "Celery did not end", 120)
        wall, cpu = json.loads(done.read_text())
        done.unlink()
        return wall, cpu
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def measure(
    database: str, runs: int, steps: int, pairs: int, times: int
) -> dict[str, object]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        box = Sandbox(folder)
        if database == "postgresql":
            server = stack.enter_context(running(Postgres, folder))
            box.environment["SANDBOX_POSTGRES"] = json.dumps(server.settings)
        (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS)
        box.run(SANDBOX_SETUP)
        redis = stack.enter_context(running(Redis, folder))
        box.environment["SANDBOX_REDIS"] = redis.address
        rounds, alone = [], []
        for _round in range(times):
            rounds.append(box.run(EMPTY.format(runs=runs, steps=steps)))
            alone.append(celery_alone(box))
        empty = {name: [each[name] for each in rounds] for name in rounds[0]}
        empty["celery_alone_per_second"] = [round(wall, 1) for wall, _cpu in alone]
        empty["celery_alone_per_cpu_second"] = [round(cpu, 1) for _wall, cpu in alone]
        two = box.run(TWO_SECONDS.format(pairs=pairs))
        return {"database": database} | empty | two


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    result = measure(
        options.database, options.runs, options.steps, options.pairs, options.rounds
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
