"""What this process is and has as a worker, and the row in which it says so."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

from django.db import Error as DatabaseProblem
from django.db import connection

from imagepipe.conf import get_settings
from imagepipe.workflow import leases, shares
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.models import Run
from imagepipe.workflow.queue_models import QueueWorker
from imagepipe.workflow.scheduling import Offer, Waiting, after

State = QueueWorker.State
BEAT_SECONDS = 5.0
FORGET_SECONDS = 24 * 3600


@dataclass
class Presence:
    """One worker. ``name`` owns its leases."""

    name: str
    engine: str
    offer: Offer
    executed: int = 0
    swaps: int = 0
    run_pk: int | None = None
    models: list[str] = field(default_factory=list)

    def took(self, run: Run) -> None:
        """Remember what is worked on; its model is the warm one from now on."""
        model = run.model.slug if run.model_id else ""
        if model and self.models and self.models[-1] != model:
            self.swaps += 1
        if model:
            self.models = [model]
        now = database_now().timestamp()
        self.offer = after(self.offer, Waiting(run.pk, now, model=model), now, shares.rules())
        self.run_pk = run.pk
        self.tell(State.BUSY)

    def finished(self) -> None:
        """Remember that the run has ended or was given back."""
        self.run_pk = None
        self.executed += 1

    def tell(self, state: str | None = None) -> None:
        """Write the row."""
        now = database_now()
        values = {
            "host": socket.gethostname()[:64],
            "pid": os.getpid(),
            "engine": self.engine,
            "state": state or (State.BUSY if self.run_pk else State.IDLE),
            "seen_at": now,
            "run_id": self.run_pk,
            "models_loaded": self.models,
            "resources": sorted(self.offer.resources),
            "memory_bytes": resident_bytes(),
            "memory_limit_bytes": self.offer.memory,
            "executed": self.executed,
            "model_swaps": self.swaps,
        }
        if not QueueWorker.objects.filter(name=self.name).update(**values):
            QueueWorker.objects.update_or_create(
                name=self.name, defaults=values, create_defaults=values | {"started_at": now}
            )

    def keep_telling(self, ended: threading.Event) -> None:
        """Write the row every few seconds until ``ended``; for a thread."""
        try:
            while not ended.wait(BEAT_SECONDS):
                try:
                    self.tell()
                except DatabaseProblem:
                    connection.close()
        finally:
            connection.close()


_mine: dict[int, Presence] = {}


def of_this_process(engine: str) -> Presence:
    """Return this process's presence, made at the first call; a forked child has its own."""
    presence = _mine.get(os.getpid())
    if presence is None:
        _mine.clear()
        presence = _mine[os.getpid()] = make(engine)
        threading.Thread(
            target=presence.keep_telling,
            args=(threading.Event(),),
            name="presence",
            daemon=True,
        ).start()
    return presence


def make(engine: str, resources: frozenset[str] | None = None, memory: int = 0) -> Presence:
    """Return a new worker with what the settings say it offers, unless told otherwise."""
    settings = get_settings()
    offered = frozenset(settings.RESOURCES) if resources is None else resources
    return Presence(
        leases.new_owner(), engine, Offer(offered, memory or settings.WORKER_MEMORY)
    )


def forget_gone() -> int:
    """Delete the rows of workers that have said nothing for a day; returns how many."""
    before = database_now() - dt.timedelta(seconds=FORGET_SECONDS)
    return QueueWorker.objects.filter(seen_at__lt=before).delete()[0]


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
