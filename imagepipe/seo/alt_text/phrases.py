"""Reads English phrases of a simple shape: “two small red fish on a blue background”.

What does not have that shape, or holds a word that is not in the vocabulary, is not read at
all: better no sentence in another language than one that leaves something out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from imagepipe.seo.alt_text.vocabulary import Noun, vocabulary

MAX_WORDS = 30
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
PREPOSITIONS = (
    ("on", "the", "left", "of"),
    ("on", "the", "right", "of"),
    ("in", "front", "of"),
    ("next", "to"),
    ("on",),
    ("in",),
    ("at",),
    ("with",),
    ("beside",),
    ("behind",),
    ("under",),
    ("above",),
    ("before",),
    ("against",),
    ("and",),
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """``number`` is 1 for one, 2 to 6 as counted, 0 for several or something uncounted."""

    noun: Noun
    number: int = 1
    adjectives: tuple[str, ...] = ()
    is_definite: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """A thing, and what it is on, in or beside, each with its English preposition."""

    head: NounPhrase
    rest: tuple[tuple[str, NounPhrase], ...] = ()


def read_phrase(text: str) -> Phrase | None:
    """Return the phrase; None where it is not understood from the first to the last word."""
    words = text.lower().strip(" .").split()
    if not words or len(words) > MAX_WORDS or not all(map(_WORD.fullmatch, words)):
        return None
    head, at = _noun_phrase(words, 0)
    if head is None:
        return None
    rest: list[tuple[str, NounPhrase]] = []
    while at < len(words):
        preposition = next((p for p in PREPOSITIONS if tuple(words[at : at + len(p)]) == p), ())
        if not preposition:
            return None
        found, at = _noun_phrase(words, at + len(preposition))
        if found is None:
            return None
        rest.append((" ".join(preposition), found))
    return Phrase(head, tuple(rest))


def _noun_phrase(words: list[str], at: int) -> tuple[NounPhrase | None, int]:
    known = vocabulary()
    determiner = words[at] if at < len(words) else ""
    number = NUMBERS.get(determiner, 0)
    if determiner in {"a", "an", "the", "one"} or number:
        at += 1
    else:
        determiner = ""
    adjectives: list[str] = []
    while at < len(words):
        for length in range(known.longest, 0, -1):
            found = known.by_word.get(" ".join(words[at : at + length]))
            if found is not None:
                noun, is_plural = found
                fits = is_plural if number else not is_plural or determiner in {"", "the"}
                if noun.name == noun.plural:
                    fits = True
                if not fits:
                    return None, at
                count = number or (0 if is_plural else 1)
                phrase = NounPhrase(noun, count, tuple(adjectives), determiner == "the")
                return phrase, at + length
        if words[at] not in known.adjectives:
            return None, at
        adjectives.append(words[at])
        at += 1
    return None, at
