"""Sentences in the languages that there is a grammar for; elsewhere nothing is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from imagepipe.seo.alt_text import english, german
from imagepipe.seo.alt_text.phrases import NounPhrase, Phrase


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one language says a phrase, a number of people and a list."""

    phrase: Callable[[Phrase], str]
    thing: Callable[[NounPhrase], str]
    people: Callable[[int], str]
    words: Mapping[str, str]
    """Every word of the vocabulary that a text may mention, small, to the noun's name."""


GRAMMARS: Mapping[str, Grammar] = {
    "en": Grammar(english.phrase, english.thing, english.people, english.words()),
    "de": Grammar(german.phrase, german.thing, german.people, german.words()),
}


def grammar_of(language: str) -> Grammar | None:
    """The grammar of a language, or of its base language."""
    return GRAMMARS.get(language.lower().partition("-")[0])


def sentence(parts: Sequence[str]) -> str:
    """One sentence without a full stop: “Harbour: a boat, two people”; empty without parts."""
    parts = [part.strip(" .,;:") for part in parts if part.strip(" .,;:")]
    if not parts:
        return ""
    text = parts[0] if len(parts) == 1 else f"{parts[0]}: {', '.join(parts[1:])}"
    return text[:1].upper() + text[1:]
