"""The background thread of a process: follow the feed, store sequences, tidy the cache."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.grants import GrantBook
from edge.sequences import SequenceMemory

logger = logging.getLogger("edge.follower")

SAVE_SECONDS = 5.0
TIDY_SECONDS = 60.0
JOURNAL_SECONDS = 0.25


@dataclass
class Chore:
    """Something to do every so many seconds; what it was meant to do is told when it fails."""

    seconds: float
    failure: str
    work: Callable[[], object]
    due: float = 0.0


class Follower:
    """Polls the feed at a fixed beat until it is stopped, and does the chores in between."""

    def __init__(
        self,
        book: GrantBook,
        memory: SequenceMemory,
        interval: float,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._book, self._memory, self._interval = book, memory, interval
        self._chores = [
            Chore(interval, "", self._poll),
            Chore(SAVE_SECONDS, "the seen sequences were not stored", memory.save),
            *chores,
        ]
        self._stopped = threading.Event()
        self._last_success: float | None = None
        self._thread = threading.Thread(target=self._run, name="edge-follower", daemon=True)

    def start(self) -> None:
        """Poll once here, so that the first request already knows the feed; then go on."""
        self._poll()
        self._thread.start()

    def stop(self) -> None:
        """End the thread and store what is known."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._memory.save()

    @property
    def is_fresh(self) -> bool:
        """Whether the feed was read lately: within three beats and a second."""
        if self._last_success is None:
            return False
        return time.monotonic() - self._last_success <= 3 * self._interval + 1

    def poll(self) -> None:
        """Look at the feed now, in the caller's thread."""
        self._poll()

    def _run(self) -> None:
        now = time.monotonic()
        for chore in self._chores:
            chore.due = now + chore.seconds
        while True:
            pause = min(chore.due for chore in self._chores) - time.monotonic()
            if self._stopped.wait(max(0.01, pause)):
                return
            for chore in self._chores:
                if time.monotonic() >= chore.due:
                    self._attempt(chore.failure, chore.work)
                    chore.due = time.monotonic() + chore.seconds

    def _poll(self) -> None:
        if self._attempt("the feed was not read", self._book.poll):
            self._last_success = time.monotonic()

    def _attempt(self, failure: str, work: Callable[[], object]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001 the thread must outlive a broken storage
            logger.error("%s: %s: %s", failure, type(error).__name__, error)
            return False
        return True
