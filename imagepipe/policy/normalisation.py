"""Text as a reader sees it: one plain form for the many ways to write the same letters.

Full-width and mathematical letters, accents, invisible characters, and letters of other
scripts that look Latin are brought to plain lower-case Latin. Each character of the result
remembers where it came from, so that a finding can be shown in the original text.
Background: https://www.unicode.org/reports/tr39/ (confusables).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_LOOKALIKES = {
    # Cyrillic
    "а": "a", "в": "b", "е": "e", "ё": "e", "з": "3", "и": "n", "й": "n", "к": "k", "м": "m",
    "н": "h", "о": "o", "п": "n", "р": "p", "с": "c", "т": "t", "у": "y", "х": "x", "ѕ": "s",
    "і": "i", "ї": "i", "ј": "j", "ԁ": "d", "ԛ": "q", "ԝ": "w", "һ": "h", "ӏ": "l", "ѵ": "v",
    # Greek
    "α": "a", "β": "b", "γ": "y", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v",
    "ο": "o", "ρ": "p", "σ": "o", "ς": "s", "τ": "t", "υ": "u", "χ": "x", "ω": "w",
    # Latin letters that have no decomposition
    "ı": "i", "ø": "o", "đ": "d", "ħ": "h", "ł": "l", "ŧ": "t", "æ": "ae", "œ": "oe",
    "ɑ": "a", "ɡ": "g", "ɩ": "i", "ɪ": "i", "ʀ": "r", "ʟ": "l", "ɴ": "n", "ʏ": "y", "ʙ": "b",
    "ɢ": "g", "ʜ": "h", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ᴊ": "j", "ᴋ": "k", "ᴍ": "m",
    "ᴏ": "o", "ᴘ": "p", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "ꜱ": "s", "ꜰ": "f",
    "ǀ": "l", "∣": "l", "€": "e", "£": "l", "¢": "c", "×": "x",
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'",
}  # fmt: skip
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e\u034f")


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """``origins[i]`` is the position in the source from which ``text[i]`` came."""

    text: str
    origins: tuple[int, ...]

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that ``text[start:end]`` came from."""
        if start >= end:
            return (0, 0)
        return self.origins[start], self.origins[end - 1] + 1


def normalise(source: str) -> NormalisedText:
    """Return the plain form of any text, lone surrogates included."""
    letters: list[str] = []
    origins: list[int] = []
    for position, character in enumerate(source):
        for letter in _plain(character):
            letters.append(letter)
            origins.append(position)
    return NormalisedText("".join(letters), tuple(origins))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """Return zero or more plain characters for one character of the source."""
    if "a" <= character <= "z" or character in " ,.":
        return character
    if character in _INVISIBLE:
        return ""
    decomposed = unicodedata.normalize("NFKD", _enclosed(character))
    plain = []
    for part in decomposed.casefold():
        category = unicodedata.category(part)
        if category in {"Mn", "Me", "Cf"} or (category == "Cc" and part not in "\t\n\r"):
            continue
        for piece in unicodedata.normalize("NFKD", part):
            if unicodedata.category(piece) not in {"Mn", "Me"}:
                plain.append(_LOOKALIKES.get(piece, piece))
    return "".join(plain)


def _enclosed(character: str) -> str:
    """Return the letter in a circle, a square or a flag symbol, else the character."""
    code = ord(character)
    for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):
        if first <= code < first + 26:
            return chr(ord("a") + code - first)
    return character
