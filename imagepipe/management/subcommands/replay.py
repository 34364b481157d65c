"""Make a picture again from its recipe and say whether it is the same."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import IO, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from imagepipe.management.versions import VERSION, find_version

help = "Makes a version's picture again from its recipe and says whether it is the same."
LOOK_INTERVAL = 0.5
"""Seconds between looks at a run that a worker was faster to take."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version", help=VERSION)
    parser.add_argument(
        "--as-installed",
        action="store_true",
        help="with today's threads and precision instead of the recorded ones",
    )
    parser.add_argument(
        "--other-weights",
        action="store_true",
        help="even if the files of the model have changed",
    )
    parser.add_argument(
        "--drop", action="store_true", help="do not keep the new picture as evidence"
    )
    parser.add_argument("--json", action="store_true", help="the whole verdict, for programs")


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.workflow import replay_reasons, runner
    from imagepipe.workflow.replay_actions import ReplayVersion
    from imagepipe.workflow.verdicts import Verdict

    version = find_version(options["version"])
    run = ReplayVersion(
        version,
        None,
        as_installed=options["as_installed"],
        other_weights=options["other_weights"],
        keep=not options["drop"],
    ).execute()
    runner.work_on(run.uid.hex)
    run.refresh_from_db()
    while not run.is_finished:
        time.sleep(LOOK_INTERVAL)
        run.refresh_from_db()
    output = run.steps.values_list("output", flat=True).first()
    if output is None:
        raise CommandError(run.error or run.get_state_display())
    if options["json"]:
        stdout.write(json.dumps(output | {"run": run.uid.hex}, indent=2, sort_keys=True))
    else:
        stdout.write(f"{replay_reasons.label(output)}")
        if measures := replay_reasons.measures(output):
            stdout.write(measures)
        stdout.write(replay_reasons.reason(output))
    if output["verdict"] in (Verdict.DIVERGED, Verdict.REFUSED):
        raise CommandError(_("The picture was not made again."), returncode=3)
