"""Single flight: equal work that is asked for at the same time is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from typing import Generic, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """The work did not come to its turn, or to its end, in time."""


class SingleFlight(Generic[T]):
    """At most `slots` pieces of work at once; whoever waits longer than `patience` gives up."""

    def __init__(self, slots: int, patience: float = 30.0) -> None:
        self._slots = threading.BoundedSemaphore(slots)
        self._patience = patience
        self._running: dict[str, Future[T]] = {}
        self._lock = threading.Lock()

    def do(self, key: str, work: Callable[[], T]) -> T:
        """The result of `work`, or its exception, shared by all who ask with the same key."""
        with self._lock:
            future = self._running.get(key)
            mine = future is None
            if future is None:
                future = self._running[key] = Future()
        if not mine:
            try:
                return future.result(timeout=2 * self._patience)
            except TimeoutError:
                raise Busy from None
        try:
            result = self._in_a_slot(work)
        except BaseException as error:
            self._end(key)
            future.set_exception(error)
            raise
        self._end(key)
        future.set_result(result)
        return result

    def _in_a_slot(self, work: Callable[[], T]) -> T:
        if not self._slots.acquire(timeout=self._patience):
            raise Busy
        try:
            return work()
        finally:
            self._slots.release()

    def _end(self, key: str) -> None:
        with self._lock:
            self._running.pop(key, None)
