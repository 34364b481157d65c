"""Who was given how much work lately. It fades, and is the measure of fairness."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from imagepipe.conf import get_settings
from imagepipe.workflow.models import Run
from imagepipe.workflow.queue_models import Share
from imagepipe.workflow.scheduling import Rules, Use, faded

UNKNOWN_SECONDS = 10.0
"""What a run counts before anybody knows how long such runs take."""

CHARGE = """
INSERT INTO imagepipe_share AS share (owner, weight, used_seconds, updated_at, last_started_at)
SELECT owner, 1, greatest(0, charge.seconds), charge.now, charge.begun
FROM (SELECT %s::float8 AS seconds, %s::timestamptz AS now, %s::timestamptz AS begun) AS charge,
    unnest(%s::text[]) WITH ORDINALITY AS listed (owner, place)
ORDER BY place
ON CONFLICT (owner) DO UPDATE SET
    used_seconds = greatest(0, %s + share.used_seconds * power(0.5::float8, least(200, greatest(
        0, extract(epoch FROM excluded.updated_at - share.updated_at) / %s
    ))::float8)),
    updated_at = greatest(share.updated_at, excluded.updated_at),
    last_started_at = coalesce(excluded.last_started_at, share.last_started_at)
RETURNING CASE WHEN %s THEN set_config('synchronous_commit', 'off', true) END
"""
"""For PostgreSQL; as in :mod:`imagepipe.workflow.bookkeeping` without waiting for the disk."""


def rules() -> Rules:
    """Return the rules of this installation."""
    settings = get_settings()
    return Rules(ageing_seconds=settings.AGEING_SECONDS, bundle_seconds=settings.BUNDLE_SECONDS)


def person(user_id: int | None) -> str:
    """Return the name of a user's share."""
    return f"user:{user_id or 0}"


def place(site_id: int | None) -> str:
    """Return the name of a site's share."""
    return f"site:{site_id or 0}"


def read(now: dt.datetime) -> dict[str, Use]:
    """Return everybody's use by now, in seconds by weight."""
    return {
        row.owner: Use(
            _left(row, now) / max(0.01, row.weight),
            row.last_started_at.timestamp() if row.last_started_at else float("-inf"),
        )
        for row in Share.objects.all()
    }


def charge(
    who: str, where: str, seconds: float, now: dt.datetime, *, starting: bool = False
) -> None:
    """Add work to the shares of a person and a site; negative to give some back."""
    # In one order, so that two workers never wait for each other.
    owners = sorted({who, where})
    if connection.vendor == "postgresql":
        _charge_in_one_statement(owners, seconds, now, starting=starting)
        return
    with transaction.atomic():
        found = Share.objects.select_for_update().in_bulk(owners)
        charged = [found.get(owner) or Share(owner=owner, updated_at=now) for owner in owners]
        for share in charged:
            share.used_seconds = max(0.0, _left(share, now) + seconds)
            share.updated_at = max(now, share.updated_at)
            if starting:
                share.last_started_at = now
        Share.objects.bulk_create(
            charged,
            update_conflicts=True,
            unique_fields=["owner"],
            update_fields=["used_seconds", "updated_at", "last_started_at"],
        )


def _charge_in_one_statement(
    owners: list[str], seconds: float, now: dt.datetime, *, starting: bool
) -> None:
    begun = now if starting else None
    hurries = not connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            CHARGE, [seconds, now, begun, owners, seconds, rules().half_life, hurries]
        )


def settle(run: Run, now: dt.datetime) -> None:
    """Charge what the run took beyond what was charged when it was taken."""
    if run.started_at is None:
        return
    expected = run.estimated_seconds or UNKNOWN_SECONDS
    taken = (now - run.started_at).total_seconds()
    charge(person(run.created_by_id), place(run.site_id), taken - expected, now)


def _left(share: Share, now: dt.datetime) -> float:
    return faded(share.used_seconds, (now - share.updated_at).total_seconds(), rules())
