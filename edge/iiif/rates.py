"""How much a visitor may ask for: a bucket of pictures that fills up again."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from edge.exceptions import TooMany

MOST_VISITORS: Final = 10_000


class Rates:
    """`burst` pictures at once and `rate` a second, for each visitor of one process.

    Of many visitors those who were silent for longest are forgotten first.
    """

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, visitor: str) -> None:
        """Count one picture. Raises TooMany with the seconds to wait."""
        now = self._clock()
        with self._lock:
            left, since = self._buckets.pop(visitor, (float(self._burst), now))
            left = min(float(self._burst), left + (now - since) * self._rate)
            is_allowed = left >= 1
            self._buckets[visitor] = left - is_allowed, now
            if len(self._buckets) > MOST_VISITORS:
                self._buckets.popitem(last=False)
        if not is_allowed:
            raise TooMany(max(1, math.ceil((1 - left) / self._rate)))
