"""Which package listens to which domain event."""

from __future__ import annotations


def register() -> None:
    """Subscribe the higher packages; called once from ``AppConfig.ready``."""
