"""Loaded models kept in memory, up to a budget; the least recently used ones leave first."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class ModelCache:
    """Values by key with their sizes in bytes. Safe to use from many threads.

    The newest model stays even when it is larger than the budget alone. A model that leaves
    is freed once no job uses it any more.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.RLock()

    def get(
        self, key: Hashable, expected: int, load: Callable[[], Any], size: Callable[[Any], int]
    ) -> Any:
        """Return the value, loading it first when needed.

        ``expected`` bytes are made free before loading; ``size`` measures what was loaded.
        """
        with self._lock:
            if key not in self._entries:
                self._make_room(expected)
                value = load()
                self._entries[key] = (value, size(value))
            self._entries.move_to_end(key)
            self._make_room(0, keep=key)
            return self._entries[key][0]

    @property
    def held(self) -> int:
        """Bytes of all models in the cache."""
        with self._lock:
            return sum(size for _, size in self._entries.values())

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def _make_room(self, needed: int, keep: Hashable = None) -> None:
        left = False
        while self._entries and self.held + needed > self._budget:
            oldest = next(iter(self._entries))
            if oldest == keep:
                break
            del self._entries[oldest]
            left = True
        if left:
            gc.collect()  # pipelines hold themselves through callbacks and hooks
