from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagepipe.policy.decision import check_prompt, mask
from imagepipe.policy.normalisation import normalise
from imagepipe.policy.rules import RuleSet, load_default_rules
from tests.policy.prompts import BENIGN, DENIED

RULES = load_default_rules()
PLAIN_TERMS = sorted(
    term
    for rule in RULES.rules
    if rule.category == "adult" and rule.language == "en"
    for term in rule.terms
    if term.isalpha() and len(term) > 3
)


@pytest.mark.parametrize("prompt", BENIGN)
def test_benign_prompts_pass(prompt: str) -> None:
    decision = check_prompt(prompt, RULES)
    assert decision.allowed, decision.reasons
    assert decision.reasons == ()


@pytest.mark.parametrize(("category", "prompt"), DENIED)
def test_denied_prompts_are_refused_for_their_category(category: str, prompt: str) -> None:
    decision = check_prompt(prompt, RULES)
    assert not decision.allowed
    assert category in {reason.category for reason in decision.reasons}


def test_precision_and_recall_on_the_whole_table() -> None:
    assert len(BENIGN) >= 60
    assert len(DENIED) >= 40
    refused_benign = [p for p in BENIGN if not check_prompt(p, RULES).allowed]
    caught = [p for _, p in DENIED if not check_prompt(p, RULES).allowed]
    table = {
        "precision": len(caught) / (len(caught) + len(refused_benign)),
        "recall": len(caught) / len(DENIED),
    }
    assert table == {"precision": 1.0, "recall": 1.0}


def test_reason_explains_and_masks() -> None:
    text = "Portrait of a n.u.d.e woman"

    decision = check_prompt(text, RULES)

    (reason,) = decision.reasons
    assert reason.code == "denied-adult"
    assert reason.term == "nude"
    assert reason.shown == "n••e"
    assert text[slice(*reason.span)] == "n.u.d.e"
    assert (
        reason.message == "“n••e” is not allowed. Nudity and sexual content are not made here."
    )
    assert decision.rule_set == "default 1"
    assert decision.rule_set_sha256 == RULES.sha256
    assert "nude" not in json.dumps(decision.to_dict())


def test_all_reasons_are_given_in_order() -> None:
    decision = check_prompt("swastika, then a naked man and a swastika", RULES)
    assert [reason.category for reason in decision.reasons] == ["hate", "adult", "hate"]
    assert [reason.span for reason in decision.reasons] == [(0, 8), (17, 22), (33, 41)]


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b\u200d", "\u3164", "\u2800 "])
def test_empty_prompts_are_refused(text: str) -> None:
    (reason,) = check_prompt(text, RULES).reasons
    assert reason.code == "empty"
    assert reason.message == "The prompt is empty. Say what the picture shall show."


def test_length_limit_is_exact_and_can_be_set() -> None:
    assert check_prompt("a" + " b" * 999 + "c", RULES).allowed
    (reason,) = check_prompt("x" * 2001, RULES).reasons
    assert reason.code == "too-long"
    assert reason.message == (
        "The prompt has 2001 characters; at most 2000 are possible. Shorten it."
    )
    assert check_prompt("x" * 2001, RULES, max_characters=3000).allowed
    assert not check_prompt("x" * 11, RULES, max_characters=10).allowed


def test_rules_of_a_market_apply_there_and_without_a_market() -> None:
    prompt = "eine Wolfsangel auf einem Schild"
    assert not check_prompt(prompt, RULES, market="de").allowed
    assert check_prompt(prompt, RULES, market="FR").allowed
    assert not check_prompt(prompt, RULES).allowed
    assert not check_prompt("a swastika", RULES, market="FR").allowed


@given(st.text(st.characters(), max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_gets_a_decision_with_spans_inside_it(text: str) -> None:
    decision = check_prompt(text, RULES)
    assert decision.allowed == (not decision.reasons)
    for reason in decision.reasons:
        start, end = reason.span
        assert 0 <= start <= end <= len(text)


def _spaced(term: str) -> str:
    return " ".join(term)


def _dotted(term: str) -> str:
    return ".".join(term)


def _full_width(term: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in term)


def _invisible(term: str) -> str:
    return "\u200b".join(term)


def _accented(term: str) -> str:
    return "".join(letter + "\u0301" for letter in term)


def _starred(term: str) -> str:
    return term[0] + "*" + term[2:]


def _doubled(term: str) -> str:
    return term[0] * 3 + term[1:]


def _digits(term: str) -> str:
    return term.translate(str.maketrans("aeiost", "431057"))


@given(
    st.sampled_from(PLAIN_TERMS),
    st.sampled_from(
        [_spaced, _dotted, _full_width, _invisible, _accented, _starred, _doubled, _digits]
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_disguises_are_seen_through(term: str, disguise: object, upper: bool) -> None:
    hidden = disguise(term.upper() if upper and disguise is not _digits else term)
    decision = check_prompt(f"a picture of {hidden} here", RULES)
    assert not decision.allowed, hidden


@given(st.sampled_from(PLAIN_TERMS), st.text("qv", min_size=1, max_size=5))
@settings(deadline=None)
def test_terms_inside_longer_words_do_not_count(term: str, letters: str) -> None:
    assert check_prompt(f"{letters}{term}{letters}", RULES).allowed


@pytest.mark.parametrize(
    "text",
    ["n" + "*" * 1998, "n." * 1000, "n u " * 500, "1" * 2000, "a " * 1000, "k" + "1l" * 999,
     "nu" * 1000, "\u0301" * 2000, "n" + "u" * 1999],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_no_text_makes_it_slow(text: str) -> None:
    check_prompt("warm", RULES)
    started = time.process_time()
    check_prompt(text, RULES)
    assert time.process_time() - started < 1.0


def test_normalisation_keeps_the_origin_of_every_letter() -> None:
    plain = normalise("Ｎu\u200bĐé ß")
    assert plain.text == "nude ss"
    assert plain.source_span(0, 4) == (0, 5)
    assert plain.source_span(5, 7) == (6, 7)


def test_masking_keeps_first_and_last_letter() -> None:
    assert mask("nude") == "n••e"
    assert mask("mickey mouse") == "m••••y m•••e"
    assert mask("ab") == "ab"


def test_own_rules_and_harmless_phrases() -> None:
    rules = RuleSet.from_dict(
        {
            "name": "house",
            "version": "7",
            "max_characters": 50,
            "explanations": {"brands": "Ask first."},
            "rules": [{"category": "brands", "language": "en", "terms": ["acme"]}],
            "harmless": ["acme of perfection"],
        }
    )
    assert check_prompt("the acme of perfection", rules).allowed
    assert not check_prompt("an acme rocket", rules).allowed
    assert check_prompt("naked truth", rules).allowed
