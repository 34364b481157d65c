"""A gate runs checks on a picture and says whether it may go on to a person."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from imagepipe.quality.protocol import Check, Finding, Outcome

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``accepted`` is false when a check refused or a required one could not be made."""

    accepted: bool
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Messages of the findings that refused."""
        return tuple(f.message for f in self.findings if f.outcome is Outcome.REFUSED)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Names of the checks that were skipped."""
        return tuple(f.check for f in self.findings if f.outcome is Outcome.SKIPPED)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "accepted": self.accepted,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def run_checks(
    image: Image.Image, checks: Iterable[Check], required: Iterable[str] = ()
) -> Verdict:
    """Run every check, also after a refusal, so that a person sees all reasons at once.

    A check that breaks counts as skipped. ``required`` names checks without which no
    picture is accepted, whether they were skipped or not in the list at all.
    """
    findings = tuple(_run(check, image) for check in checks)
    made = {f.check for f in findings if f.outcome is not Outcome.SKIPPED}
    refused = any(f.outcome is Outcome.REFUSED for f in findings)
    return Verdict(accepted=not refused and set(required) <= made, findings=findings)


def _run(check: Check, image: Image.Image) -> Finding:
    try:
        return check.check(image)
    except Exception:
        logger.exception("The check %s failed", check.slug)
        return Finding(
            check=check.slug,
            outcome=Outcome.SKIPPED,
            code="check-failed",
            message=f"The check “{check.slug}” could not be made; the log says why.",
        )
