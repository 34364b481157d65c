"""Write what is due to the delivery storage."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

help = "Write masters, grants and feed until the delivery storage says what the database says."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="also issue the feed and ageing grants anew, and delete replaced masters",
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="write everything again, for a delivery storage that was lost",
    )


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.delivery.outbox import request_all, request_overdue
    from imagepipe.delivery.reconcile import reconcile_now
    from imagepipe.delivery.upkeep import refresh_documents, sweep_masters

    request_overdue()
    if options.get("rebuild"):
        request_all()
    written, failed = 0, 0
    while result := reconcile_now():
        written += len(result.written)
        failed += len(result.failed)
    if result.busy:
        stderr.write("Another process is writing at the moment.\n")
    if options.get("refresh") or options.get("rebuild"):
        stdout.write(f"{refresh_documents()} grants issued anew\n")
        stdout.write(f"{len(sweep_masters())} masters deleted\n")
    stdout.write(f"{written} publications written\n")
    if failed:
        stderr.write(f"{failed} failed; see last_error of the publications.\n")
