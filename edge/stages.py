"""Time spent in the stages of making a picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.metrics import Metrics

Stages = dict[str, float]


class Stopwatch:
    """Seconds by stage of one picture; also counted in the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.stages: Stages = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        started = time.perf_counter()
        yield
        self.note(name, started)

    def note(self, name: str, started: float) -> None:
        """A stage that began at a reading of `time.perf_counter`."""
        self.stages[name] = time.perf_counter() - started
        self._metrics.stage_seconds.labels(name).observe(self.stages[name])
