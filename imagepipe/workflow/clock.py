"""The one clock that all workers share."""

from __future__ import annotations

import datetime as dt
import time

from django.db import connection
from django.utils import timezone

ASK_AGAIN_AFTER = 5.0
"""Seconds for which the time of the server is carried on by this machine's steady clock."""
_asked: dict[str, tuple[float, dt.datetime]] = {}


def database_now() -> dt.datetime:
    """Return the time as the database server sees it; leases of skewed machines agree on it.

    The server is asked every five seconds; the wall clock of this machine, which somebody may
    set, is never looked at. SQLite is a file on this machine, so there it is that clock.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    now = time.monotonic()
    at, then = _asked.get(connection.alias, (float("-inf"), dt.datetime.min))
    if not 0 <= now - at < ASK_AGAIN_AFTER:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            at, then = now, cursor.fetchone()[0].astimezone(dt.UTC)
        _asked[connection.alias] = at, then
    return then + dt.timedelta(seconds=now - at)
