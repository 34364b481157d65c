"""Phrases that are read, and how English and German say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.seo.alt_text.grammar import GRAMMARS, grammar_of, sentence
from imagepipe.seo.alt_text.phrases import NounPhrase, read_phrase
from imagepipe.seo.alt_text.vocabulary import things, vocabulary

SAID = [
    ("a teapot on a blue background", "eine Teekanne vor blauem Hintergrund"),
    (
        "a small red teapot on a dark green wall",
        "eine kleine rote Teekanne vor einer dunklen grünen Wand",
    ),
    ("an apple on the left of a yellow background", "ein Apfel links vor gelbem Hintergrund"),
    ("two keys on the right of a small vase", "zwei Schlüssel rechts von einer kleinen Vase"),
    ("two fish in front of a striped background", "zwei Fische vor gestreiftem Hintergrund"),
    ("an apple and a banana on a table", "ein Apfel und eine Banane auf einem Tisch"),
    ("three bears with a balloon", "drei Bären mit einem Ballon"),
    ("a lion in the snow", "ein Löwe im Schnee"),
    ("a gift beside a lion", "ein Geschenk neben einem Löwen"),
    ("red apples in a basket", "rote Äpfel in einem Korb"),
    ("a bird above two houses", "ein Vogel über zwei Häusern"),
    ("the small owl on grass", "die kleine Eule auf Gras"),
]
NOT_READ = (
    "", "a shiny gizmo", "two dog", "a teapot, soft light", "a teapot on", "on a table",
    "teapot teapot", "rocket on its pad", "a " * 40 + "dog", "a dog <script>",
)  # fmt: skip


@pytest.mark.parametrize(("english", "german"), SAID)
def test_a_phrase_is_said_in_both_languages(english: str, german: str) -> None:
    phrase = read_phrase(english)
    assert phrase is not None
    assert GRAMMARS["en"].phrase(phrase) == english
    assert GRAMMARS["de"].phrase(phrase) == german


@pytest.mark.parametrize("text", NOT_READ)
def test_what_is_not_wholly_understood_is_not_read(text: str) -> None:
    assert read_phrase(text) is None


@given(st.text(max_size=200))
def test_any_text_may_come(text: str) -> None:
    phrase = read_phrase(text)
    assert phrase is None or GRAMMARS["de"].phrase(phrase)


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_every_word_of_the_vocabulary_can_be_said(language: str) -> None:
    grammar = GRAMMARS[language]
    for noun in vocabulary().nouns.values():
        for adjectives in ((), *((name,) for name in vocabulary().adjectives)):
            for number in (0, 1, 2):
                said = grammar.thing(NounPhrase(noun, number, adjectives))
                assert said == " ".join(said.split()) and "  " not in said


def test_people_and_lists() -> None:
    assert [GRAMMARS["de"].people(count) for count in (1, 2, 9)] == [
        "eine Person", "zwei Personen", "eine Gruppe von Personen",
    ]  # fmt: skip
    assert GRAMMARS["en"].people(3) == "three people"
    assert sentence(["harbour", "a boat", "two people"]) == "Harbour: a boat, two people"
    assert sentence(["", " . "]) == ""
    assert grammar_of("de-at") is GRAMMARS["de"]
    assert grammar_of("fr") is None
    assert "background" not in things() and "teapot" in things()
