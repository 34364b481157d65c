"""``check_prompt``: may a picture be made from this text, and if not, why?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from imagepipe.policy.matching import joined_letters, phrase_pattern, term_pattern
from imagepipe.policy.normalisation import NormalisedText, normalise
from imagepipe.policy.rules import Combination, RuleSet

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a prompt is refused. ``span`` are positions in the prompt as it was written.

    ``code`` is stable: ``empty``, ``too-long`` or ``denied-<category>``; ``shown`` is the
    term with its inner letters masked, fit for logs and screens; ``message`` is English.
    """

    code: str
    category: str
    term: str
    shown: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with the exact rules that gave it."""

    allowed: bool
    reasons: tuple[Reason, ...]
    rule_set: str
    rule_set_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the unmasked terms."""
        return {
            "allowed": self.allowed,
            "rule_set": self.rule_set,
            "rule_set_sha256": self.rule_set_sha256,
            "reasons": [
                {
                    "code": reason.code,
                    "category": reason.category,
                    "shown": reason.shown,
                    "span": list(reason.span),
                    "message": reason.message,
                }
                for reason in self.reasons
            ],
        }


def check_prompt(
    text: str,
    rule_set: RuleSet,
    market: str | None = None,
    max_characters: int | None = None,
) -> Decision:
    """Return the decision about a prompt; never raises, whatever the text is.

    Without a ``market`` the rules of all markets apply. ``max_characters`` overrides the
    limit of the rule set.
    """
    reasons: tuple[Reason, ...]
    longest = max_characters or rule_set.max_characters
    if len(text) > longest:
        message = (
            f"The prompt has {len(text)} characters; "
            f"at most {longest} are possible. Shorten it."
        )
        reasons = (Reason("too-long", "limits", "", "", (longest, len(text)), message),)
    else:
        plain = normalise(text)
        if not plain.text.strip():
            message = "The prompt is empty. Say what the picture shall show."
            reasons = (Reason("empty", "limits", "", "", (0, len(text)), message),)
        else:
            reasons = tuple(_denied(plain, rule_set, market))
    return Decision(not reasons, reasons, rule_set.label, rule_set.sha256)


def _denied(plain: NormalisedText, rule_set: RuleSet, market: str | None) -> list[Reason]:
    finder = _Finder(plain.text, rule_set.harmless)
    found: dict[tuple[str, Span], Reason] = {}
    for rule in rule_set.rules:
        if market is not None and rule.markets and market.upper() not in rule.markets:
            continue
        for term in rule.terms:
            for span in finder.spans(term, rule.language):
                reason = _reason(rule_set, rule.category, term, plain.source_span(*span))
                found.setdefault((reason.category, reason.span), reason)
    for combination in rule_set.combinations:
        for term, span in _together(finder, combination):
            reason = _reason(rule_set, combination.category, term, plain.source_span(*span))
            found.setdefault((reason.category, reason.span), reason)
    return sorted(found.values(), key=lambda reason: (reason.span, reason.category))


class _Finder:
    """Finds terms in one text, leaving out those inside harmless phrases."""

    def __init__(self, text: str, harmless: Iterable[str]) -> None:
        self._text = text
        self._joined = joined_letters(text)
        self._harmless = [
            match.span()
            for phrase in harmless
            for match in phrase_pattern(phrase).finditer(text)
        ]

    def spans(self, term: str, language: str) -> Iterator[Span]:
        pattern = term_pattern(term, language)
        for match in pattern.finditer(self._text):
            if not self._is_harmless(match.span()):
                yield match.span()
        for word, start, end in self._joined:
            if _matches_run(pattern, word):
                yield start, end

    def _is_harmless(self, span: Span) -> bool:
        return any(start <= span[0] and span[1] <= end for start, end in self._harmless)


def _matches_run(pattern: re.Pattern[str], word: str) -> bool:
    """Whether spelled-out letters are the term, also after the article “a”."""
    return bool(pattern.fullmatch(word) or (word[:1] == "a" and pattern.fullmatch(word[1:])))


def _together(finder: _Finder, combination: Combination) -> list[tuple[str, Span]]:
    hits = []
    for group in combination.groups:
        found = ((t, span) for t in group for span in finder.spans(t, combination.language))
        first = next(found, None)
        if first is None:
            return []
        hits.append(first)
    return hits


def _reason(rule_set: RuleSet, category: str, term: str, span: Span) -> Reason:
    shown = mask(term)
    message = f"“{shown}” is not allowed. {rule_set.explain(category)}"
    return Reason(f"denied-{category}", category, term, shown, span, message)


def mask(term: str) -> str:
    """Return the term with all but the first and last letter of each word hidden."""
    return re.sub(r"(?<=\w)\w(?=\w)", "•", term)
