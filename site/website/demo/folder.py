"""The folder of one demonstration: its database, pictures, keys and log-ins."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

OURS = (
    "db.sqlite3",
    "db.sqlite3-shm",
    "db.sqlite3-wal",
    "delivery",
    "edge-cache",
    "keys",
    "log-ins.json",
    "log-ins.json.new",
    "media",
    "private",
)
"""The secret key stays: this process has read it, and the others would make a new one."""


class FolderInUse(RuntimeError):
    """Another demonstration runs in this folder."""


@dataclass(frozen=True)
class DemoFolder:
    path: Path

    @property
    def log_ins(self) -> Path:
        return self.path / "log-ins.json"

    @property
    def edge_cache(self) -> Path:
        return self.path / "edge-cache"

    @contextlib.contextmanager
    def locked(self) -> Iterator[TextIO]:
        """Hold the folder; yields the file that lists the processes which do.

        A child that inherits it holds the folder, too. Raises FolderInUse.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "demo.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise FolderInUse(
                    f"Another demonstration is running in {self.path}, or parts of it outlived "
                    f"it. Stop it first; its processes were {' '.join(file.read().split())}."
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield file

    def contents(self) -> list[Path]:
        """What a start-over deletes; nothing else in the folder is touched."""
        return [path for name in OURS if (path := self.path / name).exists()]

    def clear(self) -> None:
        for path in self.contents():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
