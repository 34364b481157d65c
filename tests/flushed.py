"""Put back what the migrations made, after a test that emptied the database.

Django runs the tests that commit last, for they leave the database empty. Spread over several
processes by file, they run in the middle.
"""

from __future__ import annotations

import json

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection


def commits(item: pytest.Item) -> bool:
    """Whether the test works without a transaction around it, and ends with a flush."""
    marker = item.get_closest_marker("django_db")
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(
        fixtures & {"transactional_db", "live_server"}
        or (marker and marker.kwargs.get("transaction"))
    )


def rows() -> str:
    """Return the rows of all tables, as JSON; content types first, others look for theirs."""
    found = json.loads(connection.creation.serialize_db_to_string())
    return json.dumps(sorted(found, key=lambda row: row["model"] != "contenttypes.contenttype"))


def restore(rows: str) -> None:
    """Let the database hold just these rows."""
    call_command(
        "flush",
        verbosity=0,
        interactive=False,
        inhibit_post_migrate=True,
        reset_sequences=False,  # the rows bring their keys along
    )
    ContentType.objects.clear_cache()
    connection.creation.deserialize_db_from_string(rows)
    ContentType.objects.clear_cache()
