"""Tell every purge target to forget."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

help = "Tell edges and CDNs to forget pictures, or list what they have still to be told."


def add_arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--asset", metavar="UID", help="uid of an asset, 32 hex digits")
    what.add_argument("--tag", help='cache tag, for example "collection-3"')
    what.add_argument("--all", action="store_true", help="everything")
    what.add_argument("--list", action="store_true", help="show what waits, and tell nobody")


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.delivery.models import PendingPurge
    from imagepipe.delivery.purge.outbox import Sender, request_purge
    from imagepipe.exceptions import InvalidState
    from imagepipe.grants.fields import HEX32, TAG

    if options["list"]:
        _list(stdout)
        return
    asset, tag = options.get("asset") or "", options.get("tag") or ""
    if asset and not HEX32.fullmatch(asset):
        raise InvalidState("An asset's uid has 32 hex digits.")
    if tag and not TAG.fullmatch(tag):
        raise InvalidState("A cache tag has letters, digits and . _ : / - only.")
    told = request_purge(asset=asset, tags=[tag] if tag else [], everything=options["all"])
    Sender().finish()
    waiting = PendingPurge.objects.exclude(last_error="").order_by("target")
    for row in waiting:
        stderr.write(f"{row.target}: {row.last_error}\n")
    stdout.write(f"{told} targets told, {waiting.count()} purges wait to be told again\n")


def _list(stdout: IO[str]) -> None:
    """One line for each purge that a target has still to be told, the oldest first."""
    from imagepipe.delivery.models import PendingPurge

    count = 0
    for row in PendingPurge.objects.order_by("pk").iterator():
        count += 1
        what = "everything" if row.everything else " ".join([row.asset, *row.tags]).strip()
        since = f"{row.created_at:%Y-%m-%d %H:%M:%S}"
        line = f"{row.target}: {what}, since {since} UTC, {row.attempts} attempts"
        if row.retry_at is not None:
            line += f", next {row.retry_at:%H:%M:%S}"
        if row.last_error:
            line += f": {' '.join(row.last_error.split())[:200]}"
        stdout.write(f"{line}\n")
    stdout.write(f"{count} purges wait\n")
