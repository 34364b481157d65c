"""What an engine said about itself, asked for anew when it is old."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from imagepipe.generation.exceptions import GenerationError

T = TypeVar("T")
FAILED_SECONDS = 15.0
"""How long a failure is remembered, so that pages do not wait for a dead engine again."""


class Remembered(Generic[T]):
    """The value of ``ask()``, for ``seconds``. Raises what ``ask`` raises."""

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._value: T
        self._failure: GenerationError | None = None
        self._until = float("-inf")

    def get(self) -> T:
        with self._lock:
            if time.monotonic() >= self._until:
                self._renew()
            if self._failure is not None:
                raise copy.copy(self._failure).with_traceback(None)
            return self._value

    def _renew(self) -> None:
        self._failure = None
        try:
            self._value = self._ask()
            self._until = time.monotonic() + self._seconds
        except GenerationError as error:
            self._failure = error
            self._until = time.monotonic() + FAILED_SECONDS
