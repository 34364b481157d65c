"""Jobs that workers do every now and then; each must bear being done by several at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger("imagepipe.workflow")


@dataclass(frozen=True, slots=True)
class Job:
    """``work`` is called about every ``interval`` seconds."""

    name: str
    interval: float
    work: Callable[[], object]


_jobs: dict[str, Job] = {}


def register(name: str, interval: float, work: Callable[[], object]) -> None:
    """Make a job known; a later registration of the same name replaces an earlier one."""
    if interval <= 0:
        raise ValueError("The interval must be positive.")
    _jobs[name] = Job(name, interval, work)


def jobs() -> tuple[Job, ...]:
    """Return all jobs, by name."""
    return tuple(_jobs[name] for name in sorted(_jobs))


class Schedule:
    """Remembers, for one worker, when each job was last done; a failing job is logged."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def run_due(self) -> tuple[str, ...]:
        """Do what is due, everything the first time; returns the names of the jobs done."""
        done = []
        for job in jobs():
            if self._clock() < self._due.get(job.name, float("-inf")):
                continue
            try:
                job.work()
            except Exception:
                logger.exception("periodic job failed", extra={"job": job.name})
            self._due[job.name] = self._clock() + job.interval
            done.append(job.name)
        return tuple(done)
