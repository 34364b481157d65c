"""Refusals: every error that a visitor can see, with its status and its stable reason.

Refusal
├── BadRequest        400, 403, 404 or 405: the address or the method itself
├── NotDeliverable    what the grant says
├── SourceUnusable    the master is missing, damaged or too large
├── Overloaded        503: too much to do at the moment
├── TooMany           429: this visitor asks for too much
└── GrantUnavailable  503: the delivery document cannot be trusted now
"""

from __future__ import annotations


class Refusal(Exception):
    """An answer without a picture. `detail` may be shown to anybody."""

    def __init__(
        self, status: int, reason: str, detail: str, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


class BadRequest(Refusal):
    """The address or the method is not one that is answered."""


class NotDeliverable(Refusal):
    """The grant does not allow this picture to be shown to this request."""


class SourceUnusable(Refusal):
    """The master is missing, damaged, or over a limit."""


class Overloaded(Refusal):
    """The picture could not be made in time."""

    def __init__(self, detail: str = "too many pictures are being made; try again") -> None:
        super().__init__(503, "overloaded", detail, retry_after=2)


class TooMany(Refusal):
    """One visitor has too many pictures made."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            429, "too-many-requests", "too many pictures were asked for", retry_after
        )


class GrantUnavailable(Refusal):
    """The delivery document is unreadable or older than one already seen."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(503, reason, detail, retry_after=10)
