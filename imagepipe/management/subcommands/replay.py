"""Make a picture again from its recipe and say whether it is the same."""

from __future__ import annotations

import json
import time
import uuid
from argparse import ArgumentParser
from typing import IO, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from imagepipe.assets.models import AssetVersion

help = "Makes a version's picture again from its recipe and says whether it is the same."
SHORTEST_HASH = 8
LOOK_INTERVAL = 0.5
"""Seconds between looks at a run that a worker was faster to take."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "version", help="UID of a picture, UID/NUMBER, or SHA-256 of a master (its beginning)"
    )
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


def find_version(text: str) -> AssetVersion:
    """Return the version that is meant. Raises ``CommandError``."""
    name, _slash, number = text.strip().partition("/")
    versions = AssetVersion.objects.select_related("asset__collection")
    try:
        versions = versions.filter(asset__uid=uuid.UUID(name))
    except ValueError:
        if len(name) < SHORTEST_HASH or not name.isalnum():
            raise CommandError(
                "Name a picture by its UID, UID/NUMBER, or the SHA-256 of its master."
            ) from None
        versions = versions.filter(sha256__startswith=name.lower())
    if number:
        versions = versions.filter(number=int(number) if number.isdecimal() else 0)
    found = versions.exclude(recipe=None).order_by("-number").first()
    if found is None:
        raise CommandError(f"There is no generated version “{text[:80]}”.")
    return found
