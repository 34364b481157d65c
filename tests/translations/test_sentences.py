"""What is stored in English is read in the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import gettext, override

from imagepipe import generation
from imagepipe.policy.decision import check_prompt
from imagepipe.policy.rules import load_default_rules
from imagepipe.views import sentences
from imagepipe.views.sentences import in_reader_language

GENERATION = Path(generation.__file__).parent
UNSEEN = ("canonical.py", "decoding.py", "recipe.py")
"""Malformed documents: nothing that a run reports."""
ERRORS = (
    "BackendUnavailable",
    "InvalidModel",
    "InvalidPicture",
    "InvalidRequest",
    "ModelNotFound",
    "OutOfMemory",
    "UnknownBackend",
    "UnsafeModel",
    "UnsupportedRequest",
)
WORDS = {
    "capabilities.py": {"name": "adapters"},
    "prompt_length.py": {"name": "negative prompt"},
    "request.py": {"name": "The seed"},
}
"""Values that are words; elsewhere a number will do."""


def written_by_generation() -> Iterator[str]:
    """Every sentence of the generation package that a run can end or go on with."""
    for path in sorted(GENERATION.rglob("*.py")):
        if path.name in UNSEEN:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if text := _sentence(node, WORDS.get(path.name, {})):
                yield text


def _sentence(node: ast.AST, words: dict[str, str]) -> str:
    value: ast.expr | None = None
    if isinstance(node, ast.Call) and node.args:
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        value = node.args[0] if name in (*ERRORS, "append") else None
    elif isinstance(node, ast.Return):
        value = node.value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        text = value.value
    elif isinstance(value, ast.JoinedStr):
        text = "".join(
            str(part.value)
            if isinstance(part, ast.Constant)
            else words.get(ast.unparse(part.value), "7")
            for part in value.values
        )
    else:
        return ""
    return text if " " in text else ""


GENERATED = sorted(set(written_by_generation()))


def test_the_search_finds_what_is_there() -> None:
    assert "The model folder “7” does not exist." in GENERATED
    assert "There is not enough memory for 7×7. Choose a smaller size, or try again when " in (
        " ".join(GENERATED)
    )
    assert len(GENERATED) > 30


@pytest.mark.parametrize("text", GENERATED)
def test_what_backends_say_is_known(text: str) -> None:
    with override("en"):
        assert in_reader_language(text) == text
    with override("de"):
        assert in_reader_language(text) != text


@pytest.mark.parametrize(
    "sentence",
    [
        *sentences.PROGRESS,
        *sentences.FAILURES,
        *sentences.POLICY,
        *sentences.REQUESTS,
        *sentences.EDITS,
        *sentences.MODELS,
        *sentences.ENGINES,
    ],
)
def test_a_sentence_is_recognised_with_its_values(sentence: str) -> None:
    values = _Values()
    with override(None):
        stored = gettext(sentence) % values
    with override("de"):
        assert in_reader_language(stored) == gettext(sentence) % values
        assert in_reader_language(stored) != stored


class _Values(dict[str, int]):
    def __missing__(self, name: str) -> int:
        return 100 + len(name)


def test_digits_in_a_name_stay_as_they_are() -> None:
    with override("de"):
        assert in_reader_language("The model folder “007” does not exist.") == (
            "Den Modellordner „007“ gibt es nicht."
        )


def test_what_nobody_knows_is_shown_as_it_is() -> None:
    with override("de"):
        for text in ("", "The dog ate it.", "x" * 10_000, "Scaling to a×b"):
            assert in_reader_language(text) == text


def test_words_of_a_request_are_translated_too() -> None:
    with override("de"):
        told = in_reader_language("The seed must be a whole number from 0 to 9.")
    assert told == "Der Seed muss eine ganze Zahl von 0 bis 9 sein."


def test_every_reason_of_the_policy_is_told() -> None:
    decision = check_prompt("naked, beheading", load_default_rules())
    reasons = " ".join(reason.message for reason in decision.reasons)
    assert len(decision.reasons) == 2
    with override("de"):
        told = in_reader_language(f"The prompt was refused, nothing was generated. {reasons}")
    assert told == (
        "Der Prompt wurde abgelehnt, es wurde nichts generiert. "
        "„n•••d“ ist nicht erlaubt. Nacktheit und sexuelle Inhalte werden hier nicht erzeugt. "
        "„b•••••••g“ ist nicht erlaubt. Darstellungen von Grausamkeit, Tötung und "
        "Selbstverletzung werden hier nicht erzeugt."
    )


@pytest.mark.parametrize("explanation", dict(load_default_rules().explanations).values())
def test_every_explanation_of_the_built_in_rules_is_known(explanation: str) -> None:
    with override("de"):
        assert in_reader_language(explanation) != explanation


def test_the_policy_s_limits_are_known() -> None:
    for text in ("", "x" * 5000):
        (reason,) = check_prompt(text, load_default_rules()).reasons
        with override("de"):
            assert in_reader_language(reason.message) != reason.message
