from __future__ import annotations

from imagepipe.seo.alt_text.phrases import NounPhrase, Phrase
from imagepipe.seo.alt_text.vocabulary import vocabulary

NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def phrase(phrase: Phrase) -> str:
    parts = [thing(phrase.head)]
    parts += [f"{preposition} {thing(noun)}" for preposition, noun in phrase.rest]
    return " ".join(parts)


def thing(found: NounPhrase) -> str:
    """“a red apple”, “two fish”, “grass”."""
    noun = found.noun
    name = noun.name if found.number == 1 else noun.plural
    words = " ".join((*found.adjectives, name))
    if found.is_definite:
        return f"the {words}"
    if found.number == 1 and not noun.is_mass:
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    return f"{NUMBERS[found.number]} {words}" if found.number > 1 else words


def people(count: int) -> str:
    if count == 1:
        return "a person"
    return f"{NUMBERS[count]} people" if count in NUMBERS else "a group of people"


def words() -> dict[str, str]:
    return {word: noun.name for word, (noun, _many) in vocabulary().by_word.items()}
