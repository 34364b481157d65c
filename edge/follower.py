"""The background thread of a process: follow the feed, store sequences, tidy the cache."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from edge.grants import GrantBook
from edge.sequences import SequenceMemory

logger = logging.getLogger("edge.follower")

SAVE_SECONDS = 5.0
TIDY_SECONDS = 60.0


class Follower:
    """Polls the feed at a fixed beat until it is stopped."""

    def __init__(
        self, book: GrantBook, memory: SequenceMemory, interval: float, tidy: Callable[[], None]
    ) -> None:
        self._book, self._memory, self._interval, self._tidy = book, memory, interval, tidy
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

    def _run(self) -> None:
        saved = tidied = time.monotonic()
        while not self._stopped.wait(self._interval):
            self._poll()
            now = time.monotonic()
            if now - saved >= SAVE_SECONDS:
                self._attempt("the seen sequences were not stored", self._memory.save)
                saved = now
            if now - tidied >= TIDY_SECONDS:
                self._attempt("the cache was not tidied", self._tidy)
                tidied = now

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
