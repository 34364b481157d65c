"""Keeps a number of real worker processes alive by forking; who is killed is replaced.

Run as a process of its own in a sandbox: ``python -m tests.campaigns.chaos.pool database 4``.
Django is loaded once and the children are forked, as starting Python anew after every kill
would leave no time for work. Nothing touches database or broker before the fork.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from types import FrameType

import django

UPKEEP = "upkeep"


def main(transport: str, count: int) -> None:
    django.setup()
    from imagepipe.workflow import breakers, dispatch, periodic, worker
    from tests.campaigns.chaos import steps

    steps.register()
    preload(transport)
    dispatch.REDISPATCH_AFTER = 5
    # Jobs that fail once do so on purpose; what would rest for minutes rests for a moment.
    breakers.FIRST_REST, breakers.LONGEST_REST = 0.5, 1.0
    periodic.register("redispatch", 5, dispatch.redispatch_waiting)
    periodic.register("dispatch-due", 1, dispatch.dispatch_due)
    kinds = [transport] * count + ([] if transport == "database" else [UPKEEP])
    children: dict[int, str] = {}

    def end(number: int, frame: FrameType | None) -> None:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        for kind in kinds:
            if list(children.values()).count(kind) < kinds.count(kind):
                pid = os.fork()
                if pid == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    work(kind, worker)
                children[pid] = kind
                write_pids(children)
        try:
            gone, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            gone = 0
        if gone:
            children.pop(gone, None)
            write_pids(children)
        time.sleep(0.02)


def preload(transport: str) -> None:
    """Import what a worker imports, so that a new one works within a moment of its fork."""
    modules = {
        "celery": ("celery.bin.worker", "celery.apps.worker", "kombu.transport.pyamqp",
                   "kombu.transport.redis", "celery.worker.consumer"),
        "rq": ("rq", "django_rq", "imagepipe.workflow.engines.rq"),
    }.get(transport, ())  # fmt: skip
    for module in (*modules, "imagepipe.workflow.steps.offer", "imagepipe.delivery.upkeep"):
        importlib.import_module(module)


def work(kind: str, worker: object) -> None:
    """Be a worker until killed."""
    try:
        if kind == "rq":
            import django_rq

            names = ("high", "default", "low")
            while True:
                try:
                    queues = [django_rq.get_queue(name) for name in names]
                    from rq import SimpleWorker

                    SimpleWorker(queues, connection=queues[0].connection).work()
                except Exception as error:  # noqa: BLE001 - the broker is being restarted
                    print("rq", repr(error), file=sys.stderr)  # noqa: T201
                    time.sleep(0.2)
        if kind == "celery":
            import sandbox_celery

            options = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
            name = f"worker{os.getpid()}@%h"
            sandbox_celery.app.worker_main(
                ["worker", "-n", name, "-P", "solo", "-c", "1", "--loglevel=warning", *options]
            )
        if kind == UPKEEP and os.environ["SANDBOX_ENGINE"] == "celery":
            import sandbox_celery

            sandbox_celery.app.loader.import_default_modules()
        if kind in (UPKEEP, "database"):
            worker.Worker(poll=0.1, upkeep_only=kind == UPKEEP).run_forever()  # type: ignore[attr-defined]
    finally:
        os._exit(1)


def write_pids(children: dict[int, str]) -> None:
    with open("pids.new", "w") as file:
        file.write("\n".join(map(str, children)))
    os.replace("pids.new", "pids")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
