"""Executes a run at once in the calling process; for tests and scripts."""

from __future__ import annotations

from imagepipe.workflow.runner import work_on


def send(run_uid: str, priority: int) -> None:
    """Return when the run is finished."""
    work_on(run_uid, heartbeat=False)
