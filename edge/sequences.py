"""The highest grant sequences seen, kept over restarts and shared by all processes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from pathlib import Path

from imagepipe.grants import SequenceGuard

logger = logging.getLogger("edge.sequences")


class SequenceMemory:
    """Stores what `guard` has seen, so that a restored backup revives nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved: dict[str, int] = {}
        self.guard = SequenceGuard(_read(path))

    def save(self) -> None:
        """Merge with what other processes stored, highest wins; best effort."""
        if self.guard.snapshot() == self._saved:
            return
        try:
            with open(self._path.with_suffix(".lock"), "w", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._merge()
        except OSError as error:
            logger.warning("the seen sequences were not stored: %s", error.strerror)

    def _merge(self) -> None:
        for asset, sequence in _read(self._path).items():
            self.guard.expect(asset, sequence)
        merged = self.guard.snapshot()
        temporary = self._path.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_text(json.dumps(merged), "utf-8")
            os.replace(temporary, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        self._saved = merged


def _read(path: Path) -> dict[str, int]:
    try:
        stored = json.loads(path.read_text("utf-8"))
        return {str(asset): int(sequence) for asset, sequence in stored.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError):
        logger.warning("the stored sequences cannot be read; starting without them")
        return {}
