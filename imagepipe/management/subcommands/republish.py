"""Write the publication of many pictures again, through the queue."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import IO, Any

from imagepipe.exceptions import ImagepipeError

help = "Has published pictures written again: new grants, signatures and, if asked for, crops."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("assets", nargs="*", type=uuid.UUID, help="identifiers of pictures")
    parser.add_argument("--all", action="store_true", help="every published picture")
    parser.add_argument("--collection", help="name of a collection, with those below it")
    parser.add_argument("--crops", action="store_true", help="look for faces and subject anew")
    parser.add_argument("--dry-run", action="store_true", help="only count")


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    """Runs of at most 10,000 pictures each are queued; a worker executes them."""
    from imagepipe.assets.models import Asset
    from imagepipe.management.subcommands._collections import within
    from imagepipe.workflow import jobs
    from imagepipe.workflow.republication import Republish, prepare

    assets = Asset.objects.filter(published_version__isnull=False)
    if options["assets"]:
        assets = assets.filter(uid__in=options["assets"])
    elif options["collection"]:
        assets = within(assets, options["collection"])
    elif not options["all"]:
        raise ImagepipeError("Name pictures, a --collection, or --all.")
    keys = list(assets.order_by("pk").values_list("pk", flat=True))
    if options["dry_run"]:
        stdout.write(f"{len(keys)} published pictures\n")
        return
    for start in range(0, max(1, len(keys)), jobs.MOST):
        some = Asset.objects.filter(pk__in=keys[start : start + jobs.MOST])
        run = Republish(prepare(some, crops=options["crops"]), None).execute()
        stdout.write(f"{run.uid.hex} {run.title}\n")
