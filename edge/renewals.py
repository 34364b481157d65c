"""Work in the background that nobody waits for: one at a time, each once."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from edge.exceptions import Refusal

logger = logging.getLogger("edge.renewals")

MOST_WAITING = 200


def _step_back() -> None:
    """Those who wait come first: on Linux a thread has a niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class Renewals:
    """A queue of one thread; what is already waiting, or too much, is not taken.

    `on_idle` is called when nothing waits any more.
    """

    def __init__(self, on_idle: Callable[[], None] = lambda: None) -> None:
        self._on_idle = on_idle
        self._pool = ThreadPoolExecutor(1, "edge-renewal", initializer=_step_back)
        self._waiting: set[str] = set()
        self._lock = threading.Lock()

    def start(self, key: str, work: Callable[[], None]) -> bool:
        """Whether the work was taken."""
        with self._lock:
            if key in self._waiting or len(self._waiting) >= MOST_WAITING:
                return False
            self._waiting.add(key)
        self._pool.submit(self._run, key, work)
        return True

    def stop(self) -> None:
        """Drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, key: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Refusal as refusal:
            logger.warning("a picture was not renewed: %s", refusal.reason)
        except Exception as error:  # noqa: BLE001 the thread must outlive one bad picture
            logger.error("a picture was not renewed: %s: %s", type(error).__name__, error)
        finally:
            with self._lock:
                self._waiting.discard(key)
                is_idle = not self._waiting
            if is_idle:
                self._on_idle()
