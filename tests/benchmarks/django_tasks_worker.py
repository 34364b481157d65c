"""What the worker of django-tasks-db does and costs, beside the database worker here.

::

    pip install --no-deps --target /tmp/other django-tasks-db==0.13.0
    PYTHONPATH=/tmp/other python -m tests.benchmarks.django_tasks_worker sqlite
    PYTHONPATH=/tmp/other python -m tests.benchmarks.django_tasks_worker postgresql

Empty tasks per second of its worker, and runs of one empty step per second of ours, in the
same run; then what becomes of a task whose worker is killed (SIGKILL) while it works, when a
second worker is there: of theirs, and of a run of ours. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

from tests.campaigns.chaos.servers import Postgres, running, wait_until
from tests.sandbox import SANDBOX_SETTINGS, SANDBOX_SETUP, Sandbox

SETTINGS = """
INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks_db"]
TASKS = {
    "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"},
    "db": {"BACKEND": "django_tasks_db.DatabaseBackend"},
}
"""
TASKS = """
import time
from pathlib import Path
from django_tasks import task

@task(backend="db")
def nothing():
    pass

@task(backend="db")
def long():
    Path("begun").touch()
    time.sleep(60)
"""
THEIRS = """
import json, time
from django.core.management import call_command
import their_tasks
for _ in range({count}):
    their_tasks.nothing.enqueue()
wall, cpu = time.perf_counter(), time.process_time()
call_command("db_worker", "--batch", "--no-startup-delay", "--backend", "db", "--no-reload")
from django_tasks_db.models import DBTaskResult
assert not DBTaskResult.objects.exclude(status="SUCCESSFUL").exists()
print(json.dumps([{count} / (time.perf_counter() - wall),
                  {count} / (time.process_time() - cpu)]))
"""
OURS = """
import json, time
from imagepipe.models import Run
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.steps import registry
from imagepipe.workflow.worker import Worker
registry.get("generate")
registry.register(registry.Step("nothing", lambda context: {{}}))
graph = Graph((Node.create("n", "nothing"),))
for number in range({count}):
    Run.objects.create(title=str(number), graph=graph.to_dict(), graph_sha256=graph.sha256)
worker = Worker()
worker.keep_house()
wall, cpu = time.perf_counter(), time.process_time()
assert worker.run_until_empty() == {count}
print(json.dumps([{count} / (time.perf_counter() - wall),
                  {count} / (time.process_time() - cpu)]))
"""
KILLED = """
import json
from django_tasks_db.models import DBTaskResult
from imagepipe.models import Run
print(json.dumps([
    DBTaskResult.objects.get(task_path="their_tasks.long").status,
    Run.objects.filter(title="killed").values_list("state", "attempt")[0],
]))
"""
WORK = """
import time
from pathlib import Path
from imagepipe.workflow.steps import registry
from imagepipe.workflow.worker import Worker
registry.get("generate")

def work(context):
    if not Path("ours").exists():
        Path("ours").touch()
        time.sleep(60)
    return {}

registry.register(registry.Step("work", work))
Worker(poll=0.1).run_forever()
"""
ENQUEUE = """
import their_tasks
from imagepipe.models import Run
from imagepipe.workflow.graph import Graph, Node
their_tasks.long.enqueue()
graph = Graph((Node.create("work", "work"),))
Run.objects.create(title="killed", graph=graph.to_dict(), graph_sha256=graph.sha256)
"""
DB_WORKER = "from django.core.management import call_command\ncall_command("
DB_WORKER += "'db_worker', '--no-startup-delay', '--backend', 'db', '--no-reload')"


def kill_and_wait(box: Sandbox, code: str, sign: str) -> None:
    """Kill the worker once it has begun; leave a second one 20 s to take the work up."""
    command = ("-c", "import django; django.setup()\n" + code)
    first = box.start_command(*command)
    wait_until((box.folder / sign).exists, f"no {sign}", 60)
    first.kill()
    first.wait(timeout=30)
    second = box.start_command(*command)
    time.sleep(20)
    second.kill()
    second.wait(timeout=30)


def measure(database: str, count: int) -> dict[str, object]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        box = Sandbox(folder, LEASE_SECONDS=6)
        box.environment["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
        if database == "postgresql":
            server = stack.enter_context(running(Postgres, folder))
            box.environment["SANDBOX_POSTGRES"] = json.dumps(server.settings)
        (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS + SETTINGS)
        (folder / "their_tasks.py").write_text(TASKS)
        box.run(SANDBOX_SETUP)
        rates = {"django_tasks_db": box.run(THEIRS.format(count=count))}
        rates["database_worker"] = box.run(OURS.format(count=count))
        told = {
            name: {"per_second": round(wall, 1), "per_cpu_second": round(cpu, 1)}
            for name, (wall, cpu) in rates.items()
        }
        box.run(ENQUEUE)
        kill_and_wait(box, DB_WORKER, "begun")
        kill_and_wait(box, WORK, "ours")
        theirs, ours = box.run(KILLED)
        killed = {"django_tasks_db": theirs, "database_worker": ours}
        return {"database": database} | told | {"20_s_after_a_kill": killed}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    print(json.dumps(measure(options.database, options.count)))


if __name__ == "__main__":
    main()
