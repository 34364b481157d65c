"""A disk of its own that is soon full; where none may be mounted, a limit like a quota."""

from __future__ import annotations

import contextlib
import errno
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

#: Bytes that a process may still write into one file, where no disk could be mounted.
LIMIT = 100_000


class SmallDisk:
    """A folder on a file system of `size` bytes, or (not `is_real`) an ordinary one."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        self.is_real = done.returncode == 0

    def fill(self, pids: list[int]) -> None:
        """Write until nothing more fits; otherwise limit these processes, 0 is this one."""
        if not self.is_real:
            return self._limit(pids, LIMIT)
        with open(self._ballast, "ab", buffering=0) as file:
            size = 65536
            while size:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self, pids: list[int]) -> None:
        """Room again."""
        self._ballast.unlink(missing_ok=True)
        self._limit([] if self.is_real else pids, resource.RLIM_INFINITY)

    def _limit(self, pids: list[int], size: int) -> None:
        for pid in pids:
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def close(self) -> None:
        self.free([0])
        if self.is_real:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    disk = SmallDisk(folder, size)
    try:
        yield disk
    finally:
        disk.close()
