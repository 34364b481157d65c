"""A small dictionary of things and how they look, in the languages that sentences exist in.

Words that are not in it are never translated: what a suggestion says in another language is
looked up, not guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Noun:
    """``name`` is the English word that identifies it; ``gender`` is the German one."""

    name: str
    plural: str
    german: str
    gender: str
    german_plural: str
    is_mass: bool
    """Said without an article: water, snow."""
    is_thing: bool
    """Something that a picture may be of; else a place where things are."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    nouns: Mapping[str, Noun]
    by_word: Mapping[str, tuple[Noun, bool]]
    """English singular and plural to the noun and whether it is the plural."""
    adjectives: Mapping[str, str]
    """English to the German stem."""
    longest: int
    """Words of the longest noun."""


@cache
def vocabulary() -> Vocabulary:
    data = json.loads(files(__package__).joinpath("vocabulary.json").read_text("utf-8"))
    nouns = {
        name: Noun(
            name=name,
            plural=entry["en"][1],
            german=entry["de"][0],
            gender=entry["de"][1],
            german_plural=entry["de"][2],
            is_mass=bool(entry.get("mass")),
            is_thing=bool(entry.get("thing")),
        )
        for name, entry in data["nouns"].items()
    }
    by_word = {noun.plural: (noun, True) for noun in nouns.values()}
    by_word |= {name: (noun, noun.is_mass) for name, noun in nouns.items()}
    longest = max(len(word.split()) for word in by_word)
    return Vocabulary(nouns, by_word, data["adjectives"], longest)


def things() -> tuple[str, ...]:
    """Names of everything that a picture may be of."""
    return tuple(name for name, noun in vocabulary().nouns.items() if noun.is_thing)
