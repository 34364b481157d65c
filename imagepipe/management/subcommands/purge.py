"""Tell every purge target to forget."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

help = "Tell edges and CDNs to forget pictures: by asset, by cache tag, or all of them."


def add_arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--asset", metavar="UID", help="uid of an asset, 32 hex digits")
    what.add_argument("--tag", help='cache tag, for example "collection-3"')
    what.add_argument("--all", action="store_true", help="everything")


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.delivery.models import PendingPurge
    from imagepipe.delivery.purge.outbox import Sender, request_purge
    from imagepipe.exceptions import InvalidState
    from imagepipe.grants.fields import HEX32, TAG

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
