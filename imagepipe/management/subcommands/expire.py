"""Follow the clock: rights that have begun or ended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

help = "Hide pictures whose rights have ended, show those whose rights have begun."


def add_arguments(parser: ArgumentParser) -> None:
    pass


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.delivery.expiry import apply_windows

    stdout.write(f"{len(apply_windows())} pictures changed\n")
