"""What the processes of one run of the tests share: a folder, and whose turn it is."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "IMAGEPIPE_TESTS_SHARED"


def open_folder() -> None:
    """Make the folder; processes that are started from now on know it."""
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix="imagepipe-tests-")


def folder() -> Path:
    return Path(os.environ[VARIABLE])


def close_folder() -> None:
    shutil.rmtree(os.environ.pop(VARIABLE), ignore_errors=True)


@contextmanager
def turn(name: str) -> Iterator[Path]:
    """Wait until no other process is in here; yields the shared folder of that name."""
    place = folder() / name
    place.mkdir(exist_ok=True)
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place
