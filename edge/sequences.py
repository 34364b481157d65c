"""The highest grant sequences seen, remembered over a restart."""

from __future__ import annotations

import fcntl
import json
import logging
from pathlib import Path

from edge.files import write_atomically
from imagepipe.grants import SequenceGuard

logger = logging.getLogger("edge")


class SequenceFile:
    """A SequenceGuard with a file, which several worker processes may share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved = _load(path)
        self.guard = SequenceGuard(self._saved)

    def save(self) -> None:
        """Write what is new; another worker's higher sequences are kept and taken over."""
        snapshot = self.guard.snapshot()
        if snapshot == self._saved:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path.with_suffix(".lock"), "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                for asset, sequence in _load(self._path).items():
                    if sequence > snapshot.get(asset, -1):
                        self.guard.expect(asset, sequence)
                        snapshot[asset] = sequence
                write_atomically(self._path, json.dumps(snapshot).encode("ascii"))
        except OSError as error:
            logger.warning("sequences are not remembered: %s", error)
            return
        self._saved = snapshot


def _load(path: Path) -> dict[str, int]:
    try:
        known = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        logger.warning("%s is not readable: sequences start anew", path)
        return {}
    if not isinstance(known, dict):
        return {}
    return {
        asset: sequence
        for asset, sequence in known.items()
        if isinstance(sequence, int) and sequence >= 0
    }
