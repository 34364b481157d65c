"""Errors that cross package borders; each message is fit to be shown to a person.

ImagepipeError
├── InvalidState        the thing is not in a state that allows the action
├── ImmutableRecord     an attempt to change or delete what must never change
├── MissingRequirement  something the action needs is absent (rights, alt text …)
└── LeaseLost           a worker no longer owns the run it was working on
"""

from __future__ import annotations


class ImagepipeError(Exception):
    """Base of all errors that imagepipe raises on purpose."""


class InvalidState(ImagepipeError):
    """The object is not in a state that allows the requested action."""


class ImmutableRecord(ImagepipeError):
    """An immutable record (version, audit event) was about to be changed or deleted."""


class MissingRequirement(ImagepipeError):
    """The action needs something that is absent.

    ``missing`` names the requirements as stable codes, for example ``"rights"``, ``"alt"``.
    """

    def __init__(self, message: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class LeaseLost(ImagepipeError):
    """Another worker has taken over the run."""
