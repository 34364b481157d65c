"""The default engine: workers look into the database by themselves."""

from __future__ import annotations


def send(run_uid: str, priority: int) -> None:
    """Do nothing; ``manage.py imagepipe worker`` finds the run."""
