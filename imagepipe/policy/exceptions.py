"""Errors of the prompt policy."""

from __future__ import annotations

from imagepipe.exceptions import ImagepipeError


class InvalidRuleSet(ImagepipeError):
    """A rule set document is malformed; the message names the place."""
