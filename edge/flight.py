"""Making each picture once, for all who ask at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Generic, TypeVar

from edge.exceptions import Overloaded

Result = TypeVar("Result")

_LOCK_DIGITS = 3  # 4096 lock files


class SingleFlight(Generic[Result]):
    """Runs work once for all who ask for the same key at the same time."""

    def __init__(self) -> None:
        self._flights: dict[str, Future[Result]] = {}
        self._lock = threading.Lock()

    def run(self, key: str, work: Callable[[], Result], deadline: float) -> tuple[Result, bool]:
        """The result, and whether this caller did the work. Errors go to everyone.

        Raises Overloaded when others do not finish before the deadline (monotonic time).
        """
        with self._lock:
            flight = self._flights.get(key)
            is_leader = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not is_leader:
            try:
                return flight.result(max(0.0, deadline - time.monotonic())), False
            except FutureTimeout:
                raise Overloaded from None
        try:
            result = work()
        except BaseException as error:
            flight.set_exception(error)
            raise
        else:
            flight.set_result(result)
            return result, True
        finally:
            with self._lock:
                del self._flights[key]


class FileLocks:
    """The same across processes: one of 4096 lock files, chosen by the key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def hold(self, key: str, deadline: float) -> Iterator[None]:
        """`key` is hex. Raises Overloaded after the deadline (monotonic time).

        A cache folder that cannot be written costs only the coordination.
        """
        try:
            path = self._folder / key[:_LOCK_DIGITS]
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield
            return
        try:
            _lock(descriptor, deadline)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Overloaded from None
            time.sleep(0.01)
