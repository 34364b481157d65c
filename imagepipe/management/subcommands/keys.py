"""Create the keys of this installation."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any

help = "Create the keys of this installation where they are missing."


def add_arguments(parser: ArgumentParser) -> None:
    pass


def handle(options: dict[str, Any], stdout: IO[str], stderr: IO[str]) -> None:
    from imagepipe.provenance.keys import create_keys, key_folder

    folder = key_folder()
    made = create_keys(folder)
    for path in made:
        stdout.write(f"created {path}\n")
    if not made:
        stdout.write(f"all keys are there: {folder.path}\n")
