"""What storages behind a network have in common: the state of files is kept for a beat."""

from __future__ import annotations

import hashlib
import threading
import time
from abc import abstractmethod

from edge.sources import LARGEST_DOCUMENT, Source, Stamp, parts_of

MOST_REMEMBERED = 100_000


class RemoteSource(Source):
    """`beat` seconds after it was asked for, the state of a file is asked for again.

    A change of the feed, and a purge, make it forget at once.
    """

    def __init__(self, max_bytes: int, beat: float) -> None:
        super().__init__(max_bytes)
        self._beat = beat
        self._stamps: dict[str, tuple[float, Stamp | None]] = {}
        self._stamps_lock = threading.Lock()

    @abstractmethod
    def _head(self, name: str) -> Stamp | None:
        """Ask for the state of a file. Raises OSError."""

    @abstractmethod
    def _get(self, name: str, limit: int) -> tuple[bytes, Stamp]:
        """Fetch a file. Raises FileNotFoundError, OSError, ValueError."""

    def is_readable(self) -> bool:
        try:
            self._head("feed/00.json")
        except OSError:
            return False
        return True

    def refresh(self) -> None:
        with self._stamps_lock:
            self._stamps.clear()

    def stamp(self, name: str) -> Stamp | None:
        now = time.monotonic()
        with self._stamps_lock:
            known = self._stamps.get(name)
            if known is not None and now < known[0]:
                return known[1]
            if known is not None:  # one asks, the others go on with what is known
                self._stamps[name] = (now + 1.0, known[1])
        try:
            stamp = self._head(_checked(name))
        except BaseException:
            with self._stamps_lock:
                self._stamps.pop(name, None)
            raise
        self._remember(name, stamp)
        return stamp

    def read(self, name: str, limit: int = LARGEST_DOCUMENT) -> tuple[bytes, Stamp]:
        data, stamp = self._get(_checked(name), limit)
        self._remember(name, stamp)
        return data, stamp

    def _remember(self, name: str, stamp: Stamp | None) -> None:
        with self._stamps_lock:
            if len(self._stamps) >= MOST_REMEMBERED:
                self._stamps.clear()
            # Half a beat, so that the feed's own beat always finds a new state.
            self._stamps[name] = (time.monotonic() + self._beat / 2, stamp)


def stamp_of(size: int, *marks: str) -> Stamp:
    """A stamp from a length and whatever else tells one state from another."""
    digest = hashlib.sha256("\n".join(marks).encode()).digest()
    return int.from_bytes(digest[:8]), size, int.from_bytes(digest[8:16])


def _checked(name: str) -> str:
    return "/".join(parts_of(name))
