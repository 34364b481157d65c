"""The database worker: claims runs and executes them until it is told to stop.

SIGTERM or SIGINT end the current denoising step, put the run back into the queue and leave
with status 0. Periodic jobs run on a thread of their own, so that a long generation does not
hold up what must happen within seconds.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from types import FrameType

from django.db import Error as DatabaseProblem
from django.db import close_old_connections, connection

from imagepipe.workflow import leases, periodic, presence, runner, sweep
from imagepipe.workflow.dispatch import (
    DUE_INTERVAL,
    REDISPATCH_AFTER,
    dispatch_due,
    redispatch_waiting,
)
from imagepipe.workflow.presence import State

logger = logging.getLogger("imagepipe.workflow")

HOUSEKEEPING_INTERVAL = 1.0
"""Seconds between looks at what is due."""

periodic.register("redispatch", REDISPATCH_AFTER, redispatch_waiting)
periodic.register("dispatch-due", DUE_INTERVAL, dispatch_due)
periodic.register("workers", 3600, presence.forget_gone)
periodic.register("sweep", 6 * 3600, sweep.sweep)


class Worker:
    """One process that executes runs, one at a time. ``poll``: seconds between looks.

    Where another task engine brings the runs, one worker with ``upkeep_only`` does the rest.
    """

    def __init__(
        self,
        poll: float = 0.5,
        upkeep_only: bool = False,
        resources: frozenset[str] | None = None,
        memory: int = 0,
    ) -> None:
        self.presence = presence.make("database", resources, memory)
        self._poll = poll
        self._upkeep_only = upkeep_only
        self._stop = threading.Event()
        self._schedule = periodic.Schedule()
        self._told_at = float("-inf")

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Ask to end; may be called from a signal handler or another thread."""
        self._stop.set()

    def listen_to_signals(self) -> None:
        """End on SIGTERM and SIGINT; only possible in the main thread."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def run_until_empty(self) -> int:
        """Do what is due and every waiting run; returns how many runs were executed."""
        executed = 0
        self.keep_house()
        while not self._stop.is_set() and self._execute_next():
            executed += 1
        return executed

    def run_forever(self) -> None:
        """Work until asked to stop."""
        housekeeper = threading.Thread(target=self._keep_house_forever, name="housekeeping")
        housekeeper.start()
        try:
            while not self._stop.is_set():
                try:
                    close_old_connections()
                    idle = not self._execute_next()
                except DatabaseProblem:
                    logger.exception("the database did not answer")
                    idle = True
                if idle:
                    self._stop.wait(self._poll)
        finally:
            self._stop.set()
            housekeeper.join()
            if not self._upkeep_only:
                with contextlib.suppress(DatabaseProblem):
                    self.presence.tell(State.STOPPED)

    @property
    def owner(self) -> str:
        """The name that its leases bear."""
        return self.presence.name

    def keep_house(self) -> None:
        """Take runs from lost workers, say that this one lives, do the jobs that are due."""
        leases.reap()
        self._tell()
        self._schedule.run_due()

    def _tell(self) -> None:
        if self._upkeep_only:
            return
        if time.monotonic() - self._told_at >= presence.BEAT_SECONDS or self._stop.is_set():
            self._told_at = time.monotonic()
            self.presence.tell(State.STOPPING if self._stop.is_set() else None)

    def _execute_next(self) -> bool:
        return not self._upkeep_only and runner.work_once(self.presence, self._stop.is_set)

    def _keep_house_forever(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    close_old_connections()
                    self.keep_house()
                except Exception:
                    # Whatever it is: without this thread nobody takes over lost runs.
                    logger.exception("housekeeping failed")
                self._stop.wait(HOUSEKEEPING_INTERVAL)
        finally:
            connection.close()
