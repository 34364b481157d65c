"""The few signals where Wagtail offers no other door."""

from __future__ import annotations


def register_signal_handlers() -> None:
    """Connect the handlers; called once from ``AppConfig.ready``."""
