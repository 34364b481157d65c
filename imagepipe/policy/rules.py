"""Rule sets: what may not be asked for, as versioned, immutable documents.

Built in is ``rules/default.json``; sites bring their own in the same format:

``name``, ``version``, ``max_characters``, ``explanations`` (category to sentence),
``rules`` (``category``, ``language`` ``en``/``de``/empty, ``terms``, ``markets``; no markets
means everywhere), ``combinations`` (``category``, ``language``, ``groups``: refused when a
term of every group is present) and ``harmless`` (phrases in which terms do not count).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from imagepipe.policy.exceptions import InvalidRuleSet

DEFAULT_RULES = Path(__file__).parent / "rules" / "default.json"
MAX_BYTES = 1_000_000
MAX_TERMS = 5_000
LANGUAGES = ("", "de", "en")


@dataclass(frozen=True, slots=True)
class Rule:
    """Terms of one category in one language; ``markets`` empty: in force everywhere."""

    category: str
    language: str
    terms: tuple[str, ...]
    markets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Combination:
    """Harmless alone, refused together: at least one term of each group."""

    category: str
    language: str
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One immutable version of the rules; ``sha256`` identifies its exact content."""

    name: str
    version: str
    max_characters: int
    explanations: tuple[tuple[str, str], ...]
    rules: tuple[Rule, ...]
    combinations: tuple[Combination, ...]
    harmless: tuple[str, ...]
    sha256: str

    @property
    def label(self) -> str:
        """Name and version, for example ``default 1``."""
        return f"{self.name} {self.version}"

    def explain(self, category: str) -> str:
        """Return the sentence that explains a category to the writer of a prompt."""
        return dict(self.explanations)[category]

    @classmethod
    def from_json(cls, data: bytes | str) -> RuleSet:
        """Return the rule set of a JSON document. Raises :class:`InvalidRuleSet`."""
        if len(data) > MAX_BYTES:
            raise InvalidRuleSet(f"The rule set is larger than {MAX_BYTES} bytes.")
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise InvalidRuleSet("The rule set is not valid JSON.") from error
        return cls.from_dict(document)

    @classmethod
    def from_dict(cls, document: Any) -> RuleSet:
        """Return the rule set of plain JSON values. Raises :class:`InvalidRuleSet`."""
        keys = {"name", "version", "max_characters", "explanations", "rules"}
        _require(document, "The rule set", keys, {"combinations", "harmless"})
        explanations = _explanations(document["explanations"])
        rules = tuple(
            _rule(entry, f"rules[{number}]", explanations)
            for number, entry in enumerate(_list(document["rules"], "rules"))
        )
        combinations = tuple(
            _combination(entry, f"combinations[{number}]", explanations)
            for number, entry in enumerate(
                _list(document.get("combinations", []), "combinations")
            )
        )
        longest = document["max_characters"]
        if isinstance(longest, bool) or not isinstance(longest, int) or longest < 1:
            raise InvalidRuleSet("max_characters must be a whole number from 1.")
        if sum(len(rule.terms) for rule in rules) > MAX_TERMS:
            raise InvalidRuleSet(f"The rule set has more than {MAX_TERMS} terms.")
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return cls(
            name=_text(document["name"], "name"),
            version=_text(document["version"], "version"),
            max_characters=longest,
            explanations=tuple(sorted(explanations.items())),
            rules=rules,
            combinations=combinations,
            harmless=_texts(document.get("harmless", []), "harmless"),
            sha256=hashlib.sha256(canonical.encode()).hexdigest(),
        )


@cache
def load_default_rules() -> RuleSet:
    """Return the built-in rule set."""
    return RuleSet.from_json(DEFAULT_RULES.read_bytes())


def _rule(entry: Any, path: str, explanations: Mapping[str, str]) -> Rule:
    _require(entry, path, {"category", "language", "terms"}, {"markets"})
    return Rule(
        _category(entry, path, explanations),
        _language(entry, path),
        _texts(entry["terms"], f"{path}.terms"),
        tuple(m.upper() for m in _texts(entry.get("markets", []), f"{path}.markets")),
    )


def _combination(entry: Any, path: str, explanations: Mapping[str, str]) -> Combination:
    _require(entry, path, {"category", "language", "groups"}, set())
    groups = tuple(_texts(group, f"{path}.groups") for group in _list(entry["groups"], path))
    if len(groups) < 2 or not all(groups):
        raise InvalidRuleSet(f"{path}: a combination needs two groups or more, none empty.")
    return Combination(_category(entry, path, explanations), _language(entry, path), groups)


def _explanations(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InvalidRuleSet("explanations must be an object.")
    return {name: _text(text, f"explanations.{name}") for name, text in value.items()}


def _category(entry: Mapping[str, Any], path: str, explanations: Mapping[str, str]) -> str:
    category = _text(entry["category"], f"{path}.category")
    if category not in explanations:
        raise InvalidRuleSet(f"{path}: the category “{category}” has no explanation.")
    return category


def _language(entry: Mapping[str, Any], path: str) -> str:
    language = entry["language"]
    if language not in LANGUAGES:
        raise InvalidRuleSet(f"{path}: the language must be “en”, “de” or empty.")
    return str(language)


def _require(value: Any, path: str, needed: set[str], optional: set[str]) -> None:
    if not isinstance(value, dict):
        raise InvalidRuleSet(f"{path} must be an object.")
    if missing := sorted(needed - set(value)):
        raise InvalidRuleSet(f"{path} lacks: {', '.join(missing)}.")
    if unknown := sorted(set(value) - needed - optional):
        raise InvalidRuleSet(f"{path} has unknown keys: {', '.join(unknown)}.")


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidRuleSet(f"{path} must be a list.")
    return value


def _texts(value: Any, path: str) -> tuple[str, ...]:
    return tuple(_text(item, f"{path}[{i}]") for i, item in enumerate(_list(value, path)))


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        raise InvalidRuleSet(f"{path} must be text of 1 to 500 characters.")
    return value
