"""The database worker: claims runs and executes them until it is told to stop.

SIGTERM or SIGINT end the current denoising step, put the run back into the queue and leave
with status 0. Periodic jobs run on a thread of their own, so that a long generation does not
hold up what must happen within seconds.
"""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from django.db import DatabaseError, close_old_connections, connection

from imagepipe.workflow import leases, periodic, runner
from imagepipe.workflow.dispatch import REDISPATCH_AFTER, redispatch_waiting

logger = logging.getLogger("imagepipe.workflow")

HOUSEKEEPING_INTERVAL = 1.0
"""Seconds between looks at what is due."""

periodic.register("redispatch", REDISPATCH_AFTER, redispatch_waiting)


class Worker:
    """One process that executes runs, one at a time. ``poll``: seconds between looks.

    Where another task engine brings the runs, one worker with ``upkeep_only`` does the rest.
    """

    def __init__(self, poll: float = 0.5, upkeep_only: bool = False) -> None:
        self.owner = leases.new_owner()
        self._poll = poll
        self._upkeep_only = upkeep_only
        self._stop = threading.Event()
        self._schedule = periodic.Schedule()

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
                except DatabaseError:
                    logger.exception("the database did not answer")
                    idle = True
                if idle:
                    self._stop.wait(self._poll)
        finally:
            self._stop.set()
            housekeeper.join()

    def keep_house(self) -> None:
        """Take runs from lost workers and do the periodic jobs that are due."""
        leases.reap()
        self._schedule.run_due()

    def _execute_next(self) -> bool:
        run = None if self._upkeep_only else leases.claim(self.owner)
        if run is None:
            return False
        logger.info("run claimed", extra={"run": run.uid.hex})
        state = runner.execute(run, self.owner, stop=self._stop.is_set)
        logger.info("run %s", state, extra={"run": run.uid.hex})
        return True

    def _keep_house_forever(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    close_old_connections()
                    self.keep_house()
                except DatabaseError:
                    logger.exception("housekeeping failed")
                self._stop.wait(HOUSEKEEPING_INTERVAL)
        finally:
            connection.close()
