"""Keeps a lease alive while one long computation (loading a model, scaling) says nothing."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from django.db import Error as DatabaseProblem
from django.db import connection

from imagepipe.conf import get_settings
from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import leases

logger = logging.getLogger("imagepipe.workflow")


class Heartbeat:
    """A thread that renews the lease of one run three times per term.

    It stops by itself when the lease is lost; the working thread finds out at its next check.
    """

    def __init__(self, run_pk: int, owner: str) -> None:
        self._run_pk = run_pk
        self._owner = owner
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        interval = get_settings().LEASE_SECONDS / 3
        try:
            while not self._ended.wait(interval):
                try:
                    leases.renew(self._run_pk, self._owner)
                except LeaseLost:
                    return
                except DatabaseProblem:
                    logger.warning("lease could not be renewed", exc_info=True)
                    connection.close()
        finally:
            connection.close()
