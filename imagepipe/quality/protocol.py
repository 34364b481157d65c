"""The contract of an automatic check and its finding; ``tests/contracts/check_suite.py``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from PIL import Image

Detail = str | int | float | bool
Details = tuple[tuple[str, Detail], ...]


class Outcome(StrEnum):
    """What a check says. ``SKIPPED`` is never a pass: the check could not be made."""

    PASSED = "passed"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer about one picture.

    ``code`` is stable and names the message, so that it can be shown in other languages
    with the values of ``details``; ``message`` is English and complete. Whether a high or
    a low ``score`` is good is the check's own matter; ``threshold`` is the limit it used.
    """

    check: str
    outcome: Outcome
    code: str
    message: str
    score: float | None = None
    threshold: float | None = None
    details: Details = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "check": self.check,
            "outcome": str(self.outcome),
            "code": self.code,
            "message": self.message,
            "score": self.score,
            "threshold": self.threshold,
            "details": dict(self.details),
        }


@runtime_checkable
class Check(Protocol):
    """Looks at a decoded picture. Instances are shared between threads and keep no state."""

    slug: str

    def check(self, image: Image.Image) -> Finding:
        """Return the finding. A check that cannot work skips with a reason."""
        ...
