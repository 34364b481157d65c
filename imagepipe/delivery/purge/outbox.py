"""Purges that are still to be told, one row per target, asset and change.

Rows are written with the publication and sent without waiting: a target that is down or slow
delays neither the publication nor another target.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from imagepipe.delivery.models import PendingPurge
from imagepipe.delivery.purge.probe import probe
from imagepipe.delivery.purge.registry import Configured, configured
from imagepipe.delivery.purge.target import Purge, PurgeFailed

logger = logging.getLogger("imagepipe.delivery.purge")

BATCH = 200
LONGEST_PAUSE = 300  # seconds between attempts
CLAIM = dt.timedelta(seconds=120)
GIVE_UP = dt.timedelta(days=7)


def request_purge(
    *, asset: str = "", tags: Iterable[str] = (), everything: bool = False, probe: str = ""
) -> int:
    """Have every target told; return how many there are.

    ``probe`` is an address and, after a space, ``gone`` or ``shown``: what it has to be.
    """
    names = list(configured())
    for name in names:
        PendingPurge.objects.create(
            target=name, asset=asset, tags=list(tags), everything=everything, probe=probe
        )
    return len(names)


@dataclass
class Sending:
    """What is on its way to one target."""

    rows: list[int]
    future: Future[None]


@dataclass
class Sender:
    """Sends what is due, one batch per target at a time, in threads without a database."""

    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(8, thread_name_prefix="purge")
    )
    _sending: dict[str, Sending] = field(default_factory=dict)

    def run(self) -> bool:
        """Note what has ended, start what is due; whether anything is still on its way."""
        for name, sending in list(self._sending.items()):
            if sending.future.done():
                del self._sending[name]
                _note(name, sending)
        if not PendingPurge.objects.exists():
            return bool(self._sending)
        targets = configured()
        _forget_unknown(targets)
        for name, target in targets.items():
            if name not in self._sending:
                rows = _claim(name)
                if rows:
                    future = self._pool.submit(_send, target, _merged(rows), _probes(rows))
                    self._sending[name] = Sending([row.pk for row in rows], future)
        return bool(self._sending)

    def finish(self, seconds: float = 30) -> None:
        """Run until nothing that is due is left, or the time is over."""
        end = timezone.now() + dt.timedelta(seconds=seconds)
        while self.run() and timezone.now() < end:
            for sending in list(self._sending.values()):
                sending.future.exception(timeout=seconds)


_sender: list[Sender] = []


def send_due() -> bool:
    """The periodic job: never waits for a target."""
    if not _sender:
        _sender.append(Sender())
    return _sender[0].run()


def _claim(name: str) -> list[PendingPurge]:
    """Rows of a target that are due, kept from other workers for a while."""
    now = timezone.now()
    due = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    rows = list(PendingPurge.objects.filter(due, target=name).order_by("pk")[:BATCH])
    claimed = []
    for row in rows:
        taken = PendingPurge.objects.filter(due, pk=row.pk).update(retry_at=now + CLAIM)
        if taken:
            claimed.append(row)
    return claimed


def _merged(rows: list[PendingPurge]) -> Purge:
    assets = dict.fromkeys(row.asset for row in rows if row.asset)
    tags = dict.fromkeys(tag for row in rows for tag in row.tags)
    return Purge(tuple(assets), (), tuple(tags), any(row.everything for row in rows))


def _probes(rows: list[PendingPurge]) -> dict[str, str]:
    """The last word on every address."""
    return dict(row.probe.split(" ", 1) for row in rows if row.probe)


def _send(target: Configured, order: Purge, probes: dict[str, str]) -> None:
    target.target.purge(order)
    if target.probe:
        for address, wanted in probes.items():
            probe(address, wanted)


def _note(name: str, sending: Sending) -> None:
    rows = PendingPurge.objects.filter(pk__in=sending.rows)
    error = sending.future.exception()
    if error is None:
        rows.delete()
        return
    text = str(error) if isinstance(error, PurgeFailed) else f"{type(error).__name__}: {error}"
    logger.error("purge of %s failed: %s", name, text[:500])
    now = timezone.now()
    for row in rows:
        if now - row.created_at > GIVE_UP:
            row.delete()
            continue
        row.attempts = min(row.attempts + 1, 1000)
        row.last_error = text[:2000]
        row.retry_at = now + dt.timedelta(seconds=min(2 ** min(row.attempts, 9), LONGEST_PAUSE))
        row.save(update_fields=["attempts", "last_error", "retry_at"])


def _forget_unknown(targets: dict[str, Configured]) -> None:
    """Targets that are no longer in the settings need no purge."""
    PendingPurge.objects.exclude(target__in=targets).delete()
