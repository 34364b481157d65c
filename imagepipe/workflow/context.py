"""What a step sees of the run around it: its inputs, progress, and whether to stop."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.exceptions import LeaseLost
from imagepipe.workflow import blobs, bookkeeping, expenses, shares, waiting_list
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.exceptions import RunCancelled, TurnEnded, WorkerStopping
from imagepipe.workflow.graph import Node
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.scheduling import URGENT, Offer, makes_way

WRITE_INTERVAL = 0.5
"""Seconds between progress writes of a run."""
LOOK_INTERVAL = 1.0
"""Seconds between looks for an urgent run, and at most between those for what people wish."""
LOOK_SHARE = 0.02
"""At most this share of the time is spent on looking for what people wish…"""
LOOK_SOONEST = 0.02
"""…and never sooner than after so many seconds."""


@dataclass
class Lease:
    """The hold of one worker on a run; ``stop`` says whether the worker shall end."""

    run: Run
    owner: str
    stop: Callable[[], bool] = lambda: False
    offer: Offer = Offer()
    """What the worker has to offer."""
    _written_at: float = field(default=float("-inf"), init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _heard_at: float = field(default_factory=time.monotonic, init=False)
    """When the row was last read or written, which tells what people wish."""
    _look_takes: float = field(default=0.0, init=False)
    """Seconds of the last look at the row."""
    _wishes: bookkeeping.Wishes = field(default=bookkeeping.NONE, init=False)

    def check(self) -> None:
        """Raise ``LeaseLost``, ``RunCancelled`` or ``WorkerStopping`` when work must end.

        Made to be called at every denoising step. The row is read as often as its reading is
        worth: at each step where steps are long and the database is near, else at least once a
        second.
        """
        if self.stop():
            raise WorkerStopping(_("The worker is stopping."))
        due = max(LOOK_SOONEST, self._look_takes / LOOK_SHARE)
        begin = time.monotonic()
        if begin - self._heard_at >= min(LOOK_INTERVAL, due):
            self._look()
            self._heard_at = time.monotonic()
            self._look_takes = self._heard_at - begin
        if self._wishes.cancel:
            raise RunCancelled(_("The run was cancelled."))

    def check_between_steps(self, *, begun: bool) -> None:
        """Raise ``WorkerStopping``, or ``TurnEnded`` when the run must make way.

        Only a run that has ``begun`` makes way, so that each turn brings it a step further.
        """
        if self.stop():
            raise WorkerStopping(_("The worker is stopping."))
        if begun and self._makes_way():
            raise TurnEnded(_("The run makes way for an urgent one."))

    def write(
        self,
        steps: Sequence[StepRun] = (),
        *,
        begins: StepRun | None = None,
        progress: float | None = None,
        message: str | None = None,
    ) -> None:
        """Write steps, and how far the run is, and hold the lease for another term.

        Raises ``LeaseLost``; and, where a step ``begins``, which is left out then,
        ``RunCancelled`` or ``TurnEnded`` if somebody wishes so.
        """
        self._wishes = bookkeeping.write(
            self.run.pk, self.owner, steps, begins=begins, progress=progress, message=message
        )
        self._heard_at = time.monotonic()
        if begins is not None and self._wishes.cancel:
            raise RunCancelled(_("The run was cancelled."))
        if begins is not None and self._wishes.pause:
            raise TurnEnded(_("The run is paused."))

    def _look(self) -> None:
        row = Run.objects.filter(pk=self.run.pk).values_list(
            "state", "lease_owner", "cancel_requested", "paused"
        )
        state, owner, cancelled, paused = row.get()
        if state != RunState.RUNNING or owner != self.owner:
            raise LeaseLost(_("Another worker has taken over the run."))
        self._wishes = bookkeeping.Wishes(cancelled, paused)

    def _makes_way(self) -> bool:
        """Whether an urgent run has found no idle worker for a second, and is next here."""
        now = time.monotonic()
        if self.run.priority >= URGENT or now - self._looked_at < LOOK_INTERVAL:
            return False
        self._looked_at = now
        now_there = database_now()
        patience = now_there - dt.timedelta(seconds=LOOK_INTERVAL)
        urgent = waiting_list.ready(now_there).filter(
            priority__gte=URGENT,
            created_at__lt=patience,
            resource__in=["", *self.offer.resources],
        )
        if not urgent.exists():
            return False
        waiting = waiting_list.read(now_there)
        mine = waiting_list.value_of(self.run)
        situation = waiting_list.situation(now_there, [mine, *waiting])
        return makes_way(mine, waiting, self.offer, situation, shares.rules())

    def write_progress(
        self, progress: float, message: str, step: StepRun, share: float
    ) -> bool:
        """Write progress and renew the lease, unless that was done a moment ago."""
        now = time.monotonic()
        if now - self._written_at < WRITE_INTERVAL:
            return False
        self._written_at = now
        step.progress = share
        self.write([step], progress=progress, message=message[:255])
        return True


@dataclass(frozen=True)
class StepContext:
    """One execution of one node."""

    run: Run
    node: Node
    inputs: Mapping[str, Mapping[str, Any]]
    """Outputs of the nodes this one names, by input name."""
    lease: Lease
    step: StepRun
    before: float
    """Progress of the run when this step starts, 0 to 1."""
    weight: float
    """Share of the run that this step is, 0 to 1."""

    def check(self) -> None:
        """Raise an ``Interrupted`` or ``LeaseLost`` when the step must end now."""
        self.lease.check()

    def report(self, share: float, message: str) -> bool:
        """Tell how far the step is, 0 to 1; returns whether it was written down."""
        share = min(1.0, max(0.0, share))
        return self.lease.write_progress(
            self.before + self.weight * share, message, self.step, share
        )

    def charge(self, engine: str, seconds: float) -> None:
        """Write down what an engine asks for one picture."""
        expenses.record(self.run, self.node.id, engine, seconds)

    def show_preview(self, index: int, jpeg: bytes) -> None:
        """Replace the preview of a candidate in the making."""
        blobs.replace(blobs.preview_name(self.run.uid.hex, index), jpeg)
