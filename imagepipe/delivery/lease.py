"""One writer at a time, on any database: a row that is taken for a while."""

from __future__ import annotations

import datetime as dt
import os
import socket
import uuid
from types import TracebackType

from django.db.models import Q
from django.utils import timezone

from imagepipe.conf import get_settings
from imagepipe.delivery.models import DeliveryLease
from imagepipe.exceptions import LeaseLost

RECONCILER = "reconciler"


class Lease:
    """``with Lease() as lease:`` then ``if lease.held``; :meth:`renew` before every write."""

    def __init__(self, name: str = RECONCILER, duration: int | None = None) -> None:
        self.name = name
        self.owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.duration = dt.timedelta(seconds=duration or get_settings().LEASE_SECONDS)
        self.held = False

    def acquire(self) -> bool:
        DeliveryLease.objects.get_or_create(name=self.name)
        now = timezone.now()
        free = Q(owner="") | Q(until__isnull=True) | Q(until__lt=now) | Q(owner=self.owner)
        taken = DeliveryLease.objects.filter(free, name=self.name).update(
            owner=self.owner, until=now + self.duration
        )
        self.held = bool(taken)
        return self.held

    def renew(self) -> None:
        """Raise LeaseLost when another process has taken over."""
        now = timezone.now()
        mine = DeliveryLease.objects.filter(name=self.name, owner=self.owner, until__gte=now)
        if not mine.update(until=now + self.duration):
            self.held = False
            raise LeaseLost("Another process writes to the delivery storage now.")

    def release(self) -> None:
        if self.held:
            mine = DeliveryLease.objects.filter(name=self.name, owner=self.owner)
            mine.update(owner="", until=None)
            self.held = False

    def __enter__(self) -> Lease:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
