"""Engines that fail again and again rest for a while, so that no run is burnt on them.

An engine is a generation backend by its name, or the ``storage``. After three failures in a
row it rests for half a minute, then one run tries; each further failure doubles the rest.
Limits of ``IMAGEPIPE["ENGINE_LIMITS"]`` make an engine rest as well.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from imagepipe.conf import get_settings
from imagepipe.generation import engines
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import EngineHealth

logger = logging.getLogger("imagepipe.workflow")

STORAGE = "storage"
OPEN_AFTER = 3
FIRST_REST, LONGEST_REST = 30.0, 900.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Health:
    """``resting`` engines get no run; a run for a ``guarded`` one must be admitted."""

    resting: frozenset[str]
    guarded: frozenset[str]


def failed(
    name: str, error: str, now: dt.datetime, retry_after: float | None = None
) -> None:
    """Count an outage of an engine; from the third on it rests, or as long as it asks for."""
    with transaction.atomic():
        EngineHealth.objects.get_or_create(name=name)
        health = EngineHealth.objects.select_for_update().get(name=name)
        health.failures += 1
        health.last_error = error[:1000]
        if health.failures >= OPEN_AFTER:
            doubled = FIRST_REST * 2 ** min(10, health.failures - OPEN_AFTER)
            rest = min(LONGEST_REST, doubled)
            health.open_until = now + dt.timedelta(seconds=rest)
            logger.warning("engine rests", extra={"engine": name, "seconds": rest})
        if retry_after:
            until = now + dt.timedelta(seconds=retry_after)
            health.open_until = max(until, health.open_until or until)
        health.save()


def succeeded(names: Iterable[str]) -> None:
    """Forget the failures of engines."""
    EngineHealth.objects.filter(name__in=names, failures__gt=0).update(
        failures=0, open_until=None, last_error=""
    )


def look(now: dt.datetime) -> Health:
    """Return which engines must rest now, and which have failed or have a limit."""
    troubled = Q(open_until__gt=now) | Q(failures__gte=OPEN_AFTER)
    rows = dict(EngineHealth.objects.filter(troubled).values_list("name", "open_until"))
    limited = limits()
    open_ones = {name for name, until in rows.items() if until is not None and until > now}
    full = {name for name, limit in limited.items() if _is_full(limit, name, now)}
    return Health(frozenset(open_ones | full), frozenset({*rows, *limited}))


def resting(now: dt.datetime) -> frozenset[str]:
    """Return the engines that must not be given a run now."""
    return look(now).resting


def admit(name: str, now: dt.datetime) -> bool:
    """Whether one more run may start on the engine; call it in the claim's transaction.

    Locks the engine's row where there is a limit to keep or an outage to probe, so that two
    workers do not both take the last place.
    """
    limit = limits().get(name)
    limited = limit is not None
    if limited:
        EngineHealth.objects.get_or_create(name=name)
    health = EngineHealth.objects.select_for_update().filter(name=name)
    if not limited:
        health = health.filter(failures__gte=OPEN_AFTER)
    row = health.first()
    if row is None:
        return True
    if row.open_until is not None and row.open_until > now:
        return False
    if limit is not None and _is_full(limit, name, now):
        return False
    if row.failures >= OPEN_AFTER:
        row.open_until = now + dt.timedelta(seconds=FIRST_REST)
        row.save(update_fields=["open_until"])
    return True


def limits() -> dict[str, Mapping[str, int]]:
    """Of the settings and of the engines that were entered in the admin."""
    return {**engines.limits(), **get_settings().ENGINE_LIMITS}


def _is_full(limits: Mapping[str, int], name: str, now: dt.datetime) -> bool:
    runs = Run.objects.filter(model__backend=name)
    concurrent, per_minute = limits.get("concurrent"), limits.get("per_minute")
    if concurrent and runs.filter(state=RunState.RUNNING).count() >= concurrent:
        return True
    since = now - dt.timedelta(minutes=1)
    return bool(per_minute) and runs.filter(started_at__gt=since).count() >= per_minute
