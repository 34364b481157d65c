"""German noun phrases: weak and mixed declension, nominative for what the picture is of,
dative after the prepositions that say where it is."""

from __future__ import annotations

from imagepipe.seo.alt_text.phrases import NounPhrase, Phrase
from imagepipe.seo.alt_text.vocabulary import vocabulary

NUMBERS = {2: "zwei", 3: "drei", 4: "vier", 5: "fünf", 6: "sechs"}
PREPOSITIONS = {
    "in front of": "vor",
    "before": "vor",
    "against": "vor",
    "next to": "neben",
    "beside": "neben",
    "on the left of": "links von",
    "on the right of": "rechts von",
    "on": "auf",
    "in": "in",
    "at": "an",
    "with": "mit",
    "behind": "hinter",
    "under": "unter",
    "above": "über",
}
_NOMINATIVE = {"m": ("ein", "er"), "f": ("eine", "e"), "n": ("ein", "es")}
_DATIVE = {"m": ("einem", "en"), "f": ("einer", "en"), "n": ("einem", "en")}
_DEFINITE = {
    False: {"m": ("der", "e"), "f": ("die", "e"), "n": ("das", "e")},
    True: {"m": ("dem", "en"), "f": ("der", "en"), "n": ("dem", "en")},
}
_BARE_DATIVE = {"m": "em", "f": "er", "n": "em"}
_WEAK_NOUNS = frozenset({"Bär", "Teddybär", "Löwe"})
"""Masculine ones that end in -n or -en in all other cases."""


def phrase(phrase: Phrase) -> str:
    parts = [thing(phrase.head)]
    dative = False
    for preposition, found in phrase.rest:
        if preposition == "and":
            parts.append(f"und {_decline(found, dative=dative)}")
            continue
        dative = True
        if found.noun.name == "background":
            side = {"on the left of": "links ", "on the right of": "rechts "}
            parts.append(f"{side.get(preposition, '')}vor {_background(found)}")
        else:
            before = _before(preposition, found)
            parts.append(f"{before} {_decline(found, dative=True)}")
    said = " ".join(parts)
    return said.replace("in dem ", "im ").replace("an dem ", "am ")


def _before(preposition: str, found: NounPhrase) -> str:
    if preposition == "on" and found.noun.name == "wall":
        return "vor"
    return PREPOSITIONS[preposition]


def thing(found: NounPhrase) -> str:
    """“ein roter Apfel”, “zwei Fische”, “Gras”."""
    return _decline(found, dative=False)


def people(count: int) -> str:
    if count == 1:
        return "eine Person"
    return f"{NUMBERS[count]} Personen" if count in NUMBERS else "eine Gruppe von Personen"


def words() -> dict[str, str]:
    found = {noun.german.lower(): noun.name for noun in vocabulary().nouns.values()}
    return found | {n.german_plural.lower(): n.name for n in vocabulary().nouns.values()}


def _decline(found: NounPhrase, *, dative: bool) -> str:
    noun = found.noun
    if found.number != 1 and not noun.is_mass:
        ending = "en" if dative or found.is_definite else "e"
        name = _dative_plural(noun.german_plural) if dative else noun.german_plural
        article = ("den" if dative else "die") if found.is_definite else ""
        number = NUMBERS.get(found.number, "")
        return _join(article or number, _adjectives(found, ending), name)
    if found.is_definite:
        article, ending = _DEFINITE[dative][noun.gender]
    elif noun.is_mass:
        article, ending = "", _BARE_DATIVE[noun.gender] if dative else "es"
        if not dative and noun.gender == "m":
            ending = "er"
    else:
        article, ending = (_DATIVE if dative else _NOMINATIVE)[noun.gender]
    return _join(article, _adjectives(found, ending), _singular(noun.german, dative))


def _background(found: NounPhrase) -> str:
    """Said without an article: “vor blauem Hintergrund”."""
    if not found.adjectives or found.is_definite or found.number != 1:
        return _decline(found, dative=True)
    return _join(_adjectives(found, _BARE_DATIVE[found.noun.gender]), found.noun.german)


def _adjectives(found: NounPhrase, ending: str) -> str:
    stems = (vocabulary().adjectives[word] for word in found.adjectives)
    return " ".join(_inflected(stem, ending) for stem in stems)


def _inflected(stem: str, ending: str) -> str:
    if stem.endswith("el"):
        stem = f"{stem[:-2]}l"  # dunkel: dunkle
    return stem + ending


def _singular(name: str, dative: bool) -> str:
    if dative and name in _WEAK_NOUNS:
        return f"{name}n" if name.endswith("e") else f"{name}en"
    return name


def _dative_plural(name: str) -> str:
    return name if name.endswith(("n", "s")) else f"{name}n"


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
