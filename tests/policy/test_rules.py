from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.policy.exceptions import InvalidRuleSet
from imagepipe.policy.rules import DEFAULT_RULES, RuleSet, load_default_rules

DOCUMENT: dict[str, Any] = {
    "name": "house",
    "version": "1",
    "max_characters": 100,
    "explanations": {"brands": "Ask first."},
    "rules": [{"category": "brands", "language": "en", "terms": ["acme"], "markets": ["de"]}],
    "combinations": [{"category": "brands", "language": "", "groups": [["a"], ["b"]]}],
    "harmless": ["acme of perfection"],
}


def test_default_rules_are_valid_and_cover_the_categories() -> None:
    rules = load_default_rules()
    assert {rule.category for rule in rules.rules} == {
        "adult", "violence", "hate", "minors", "brands",
    }  # fmt: skip
    assert {rule.language for rule in rules.rules} == {"", "de", "en"}
    assert rules.max_characters == 2000
    assert rules.label == "default 1"


def test_default_rules_name_no_term_twice() -> None:
    rules = load_default_rules()
    for language in ("de", "en", ""):
        terms = [
            term for rule in rules.rules if rule.language == language for term in rule.terms
        ]
        assert sorted(terms) == sorted(set(terms))


def test_hash_depends_on_content_only() -> None:
    reordered = dict(reversed(list(DOCUMENT.items())))
    changed = copy.deepcopy(DOCUMENT)
    changed["rules"][0]["terms"].append("ajax")

    first = RuleSet.from_dict(DOCUMENT)
    assert RuleSet.from_dict(reordered).sha256 == first.sha256
    assert RuleSet.from_dict(changed).sha256 != first.sha256
    assert first.rules[0].markets == ("DE",)
    assert hash(first) == hash(RuleSet.from_dict(DOCUMENT))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name must be text of 1 to 500 characters."),
        ({"version": 1}, "version must be text of 1 to 500 characters."),
        ({"max_characters": 0}, "max_characters must be a whole number from 1."),
        ({"max_characters": True}, "max_characters must be a whole number from 1."),
        ({"extra": 1}, "The rule set has unknown keys: extra."),
        ({"rules": {}}, "rules must be a list."),
        ({"rules": [[]]}, "rules[0] must be an object."),
        ({"rules": [{"category": "x"}]}, "rules[0] lacks: language, terms."),
        (
            {"rules": [{"category": "x", "language": "en", "terms": []}]},
            "rules[0]: the category “x” has no explanation.",
        ),
        (
            {"rules": [{"category": "brands", "language": "fr", "terms": []}]},
            "rules[0]: the language must be “en”, “de” or empty.",
        ),
        (
            {"rules": [{"category": "brands", "language": "en", "terms": [1]}]},
            "rules[0].terms[0] must be text of 1 to 500 characters.",
        ),
        (
            {"combinations": [{"category": "brands", "language": "", "groups": [["a"]]}]},
            "combinations[0]: a combination needs two groups or more, none empty.",
        ),
        ({"explanations": []}, "explanations must be an object."),
        ({"harmless": "x"}, "harmless must be a list."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_malformed_rule_sets_name_the_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRuleSet) as caught:
        RuleSet.from_dict(DOCUMENT | change)
    assert str(caught.value) == message


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b" " * 1_000_001])
def test_hostile_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRuleSet):
        RuleSet.from_json(data)


@given(
    st.sampled_from(sorted(DOCUMENT)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)
def test_any_changed_field_is_read_or_refused(name: str, value: Any) -> None:
    try:
        RuleSet.from_dict(DOCUMENT | {name: value})
    except InvalidRuleSet:
        pass


def test_file_is_readable_json() -> None:
    assert json.loads(DEFAULT_RULES.read_text("utf-8"))["name"] == "default"
