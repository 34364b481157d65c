"""How long after somebody has cancelled a running run its worker ends it.

::

    python -m tests.benchmarks.cancelling sqlite
    python -m tests.benchmarks.cancelling postgresql

A worker on a thread makes pictures with the engine ``fake``, whose steps take as long as asked
for; each run is cancelled at a random moment. Seconds from the commit of the cancellation to
the end of the run, and how many steps that is. Prints one line of JSON per length of step.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from pathlib import Path

from tests.campaigns.chaos.servers import Postgres, running
from tests.sandbox import SANDBOX_SETTINGS, SANDBOX_SETUP, Sandbox

CANCEL = """
import json, random, statistics, threading, time
from django.db import connections
from imagepipe.models import PromptTemplate, Run
from imagepipe.workflow.actions import CancelRun, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.worker import Worker
worker = Worker(poll=0.05)

def work():
    try:
        worker.run_forever()
    finally:
        connections.close_all()

thread = threading.Thread(target=work)
thread.start()
chance, waits = random.Random({seed}), []
for number in range({runs}):
    brief = Brief(variables={{"subject": f"tea {{number}}"}}, candidates=1, steps=100)
    run = Run(title=str(number), template=PromptTemplate.objects.get())
    run = StartRun(run, None, brief=brief).execute()
    while not Run.objects.filter(pk=run.pk, progress__gt=0).exists():
        time.sleep(0.05)
    time.sleep(chance.uniform(0, 1))
    CancelRun(run, None).execute()
    asked = database_now()
    while not Run.objects.filter(pk=run.pk, state="cancelled").exists():
        time.sleep(0.05)
    run.refresh_from_db()
    waits.append((run.finished_at - asked).total_seconds())
worker.stop()
thread.join()
waits.sort()
print(json.dumps({{
    "seconds_per_step": {step},
    "cancelled": len(waits),
    "seconds_median": round(statistics.median(waits), 3),
    "seconds_worst": round(waits[-1], 3),
    "steps_median": round(statistics.median(waits) / {step}, 1),
}}))
"""


def measure(database: str, step: float, runs: int) -> dict[str, object]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        box = Sandbox(folder, BACKENDS={"fake": {"seconds_per_step": step}})
        if database == "postgresql":
            server = stack.enter_context(running(Postgres, folder))
            box.environment["SANDBOX_POSTGRES"] = json.dumps(server.settings)
        (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS)
        box.run(SANDBOX_SETUP)
        told = box.run(CANCEL.format(seed=1, runs=runs, step=step), seconds=600)
        return {"database": database} | told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--steps", type=float, nargs="*", default=[0.03, 0.1, 0.4])
    options = parser.parse_args()
    for step in options.steps:
        print(json.dumps(measure(options.database, step, options.runs)), flush=True)


if __name__ == "__main__":
    main()
