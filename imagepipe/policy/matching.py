"""Find a denied term in normalised text in spite of the usual disguises.

Seen through: digits and signs for letters (``n4ked``), repeated letters (``nuuude``), signs
between letters (``n.u.d-e``), letters set apart by blanks (``n u d e``), inner letters
replaced by ``*`` (``n*de``). A term counts only as a whole word, so that place names and
longer words that happen to contain one do not trip.
"""

from __future__ import annotations

import re
from functools import lru_cache

from imagepipe.policy.normalisation import normalise

_VARIANTS = {
    "a": "a4@", "b": "b8", "e": "e3", "g": "g9", "i": "i1!|", "l": "l1|", "o": "o0",
    "s": "s5$", "t": "t7+", "z": "z2",
}  # fmt: skip
_BETWEEN_LETTERS = r"[._\-~'’·•/\\]{0,2}"
_BETWEEN_WORDS = r"[\s._\-~'’·•/\\,]{1,3}"
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_ENDINGS = {"en": r"(?:['’]?[s5$]|[e3][s5$])?", "de": r"(?:e[nrsm]?|e?r?n|s|in|innen)?", "": ""}
_LETTER = r"[^\W_]|[@$!|+*]"
_SPELLED_OUT = re.compile(rf"{_START}(?:{_LETTER})(?:[ \t]{{1,3}}(?:{_LETTER})){{2,}}{_END}")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@lru_cache(maxsize=4096)
def term_pattern(term: str, language: str) -> re.Pattern[str]:
    """Return the pattern of a term (one or more words) of a language.

    Repetitions are bounded and the classes of neighbouring letters hardly overlap, so that
    no text can make the search slow.
    """
    spellings = dict.fromkeys((_words(term), _words(term.casefold().translate(_UMLAUTS))))
    return re.compile(_START + f"(?:{'|'.join(spellings)})" + _ENDINGS[language] + _END)


@lru_cache(maxsize=1024)
def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """Return the pattern of a harmless phrase, written plainly, in any simple inflection."""
    words = [re.escape(word) for word in re.split(r"[\s\-]+", normalise(phrase).text) if word]
    return re.compile(_START + r"[\s\-]+".join(words) + r"(?:e?s|e?n)?" + _END)


def joined_letters(text: str) -> list[tuple[str, int, int]]:
    """Return runs of three or more single letters set apart by blanks: word, start, end."""
    return [
        ("".join(match.group().split()), *match.span()) for match in _SPELLED_OUT.finditer(text)
    ]


def _words(term: str) -> str:
    words = [word for word in re.split(r"[\s\-]+", normalise(term).text) if word]
    return _BETWEEN_WORDS.join(_word(word) for word in words)


def _word(word: str) -> str:
    letters = []
    for position, letter in enumerate(word):
        single = f"[{re.escape(_VARIANTS.get(letter, letter))}]"
        repeated = letter.isalpha() and word[position - 1 : position] != letter
        piece = single + "{1,12}" if repeated else single
        if not letter.isalnum():
            letters.append(re.escape(letter) + "?")
            continue
        hidden = 0 < position < len(word) - 1
        letters.append(f"(?:{piece}|[*#])" if hidden else piece)
    return _BETWEEN_LETTERS.join(letters)
