"""Who may have a picture made now, who waits, and who is turned away at once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from edge.exceptions import Overloaded, TooMany

#: How much the newest picture counts in what one usually takes.
_NEWEST: Final = 0.2


class Gate:
    """Admits a few renders at a time and a bounded crowd that waits for them.

    Some threads always stay free of waiting, so that finished pictures are served while
    others are being made. Slots are given in the order of asking, and only to those whose
    picture should be ready before their deadline, by what the last ones took.
    """

    def __init__(self, slots: int, most_waiting: int) -> None:
        self._slots = self._free = slots
        self._most_waiting = most_waiting
        self._waiting = 0
        self._visitors: Counter[str] = Counter()
        self._queue: deque[threading.Event] = deque()
        self._usual = 0.0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Requests that wait for a picture or make one."""
        return self._waiting

    @contextlib.contextmanager
    def crowd(self, visitor: str = "") -> Iterator[None]:
        """Count as one who waits. Raises at once when there are too many.

        TooMany (429) where this visitor, if known, is more than half of them, else
        Overloaded (503).
        """
        with self._lock:
            if self._waiting >= self._most_waiting:
                if visitor and 2 * self._visitors[visitor] > self._most_waiting:
                    raise TooMany(2)
                raise Overloaded
            self._waiting += 1
            self._visitors[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                self._visitors[visitor] -= 1
                if not self._visitors[visitor]:
                    del self._visitors[visitor]

    @contextlib.contextmanager
    def slot(self, deadline: float) -> Iterator[None]:
        """One of the render slots. Raises Overloaded when the deadline cannot be kept.

        That is told at once where the queue is too long, else when waiting longer would not
        leave time to make a picture. A free slot is always given. `deadline` is monotonic time.
        """
        self._enter(deadline)
        started = time.monotonic()
        try:
            yield
        finally:
            self._leave(time.monotonic() - started)

    def _enter(self, deadline: float) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            latest = deadline - self._usual
            turn = self._usual * (len(self._queue) + 1) / self._slots
            if time.monotonic() + turn > latest:
                raise Overloaded
            ticket = threading.Event()
            self._queue.append(ticket)
        if ticket.wait(max(0.0, latest - time.monotonic())):
            return
        with self._lock:
            if not ticket.is_set():
                self._queue.remove(ticket)
                raise Overloaded

    def _leave(self, seconds: float) -> None:
        with self._lock:
            self._usual += (seconds - self._usual) * (_NEWEST if self._usual else 1)
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1
