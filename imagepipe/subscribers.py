"""Which package listens to which domain event."""

from __future__ import annotations

from imagepipe.events.bus import RunQueued, subscribe


def register() -> None:
    """Subscribe the higher packages; called once from ``AppConfig.ready``."""
    from imagepipe.workflow.dispatch import dispatch_queued

    subscribe(RunQueued, dispatch_queued)
