"""Errors of post-production; each message is fit to be shown to a person."""

from __future__ import annotations

from imagepipe.exceptions import ImagepipeError


class InvalidStep(ImagepipeError):
    """A post-production step was given parameters that it cannot work with."""
