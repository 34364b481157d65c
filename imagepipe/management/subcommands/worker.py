from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

help = "Executes waiting runs; SIGTERM puts the current run back into the queue."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="end as soon as no run is waiting")
    parser.add_argument(
        "--poll", type=float, default=0.5, metavar="SECONDS", help="pause between looks (0.5)"
    )
    parser.add_argument(
        "--upkeep-only",
        action="store_true",
        help="execute no runs (another task engine does), only what is due periodically",
    )


def handle(options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    from imagepipe.workflow.worker import Worker

    worker = Worker(poll=max(0.05, options["poll"]), upkeep_only=options["upkeep_only"])
    worker.listen_to_signals()
    stdout.write(_("Worker %(name)s is ready.") % {"name": worker.owner})
    if options["once"]:
        count = worker.run_until_empty()
        stdout.write(_("%(count)d runs executed.") % {"count": count})
    else:
        worker.run_forever()
        stdout.write(_("Worker stopped."))
