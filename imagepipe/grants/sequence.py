"""Which sequence numbers a reader has already seen, so that old documents stay refused."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from imagepipe.grants.exceptions import RolledBack


class SequenceGuard:
    """Remembers the highest sequence of every asset. Safe for use by several threads."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        """`known` is an earlier `snapshot()`."""
        self._highest = dict(known or {})
        self._lock = threading.Lock()

    def accepts(self, asset: str, sequence: int) -> bool:
        """Remember the sequence and return True; RolledBack if a higher one was seen."""
        with self._lock:
            highest = self._highest.get(asset, -1)
            if sequence < highest:
                raise RolledBack(f"sequence {sequence} is older than the known {highest}")
            self._highest[asset] = sequence
        return True

    def expect(self, asset: str, sequence: int) -> None:
        """Require at least this sequence from now on, e.g. because the feed announced it."""
        with self._lock:
            self._highest[asset] = max(sequence, self._highest.get(asset, -1))

    def highest(self, asset: str) -> int | None:
        with self._lock:
            return self._highest.get(asset)

    def snapshot(self) -> dict[str, int]:
        """A copy to store, for a reader that wants to remember over a restart."""
        with self._lock:
            return dict(self._highest)
