"""What may be wrong with an alternative text. Advice only: people decide.

https://www.w3.org/WAI/tutorials/images/tips/, https://www.w3.org/TR/WCAG22/#non-text-content
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from imagepipe.assets.models import AltText, Asset

LONG = 125
"""Characters beyond which some screen readers pause or cut; a long one is rarely read out."""
_FILE_NAME = re.compile(r"\S*\.(avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp)|[a-z]*[_-]?\d{3,}")
_PLACEHOLDER = re.compile(
    r"(alt|alt text|alternativtext|bild|foto|graphic|grafik|image|img|photo|picture|tbd|todo)"
    r"[\s\d.:!-]*"
)
_SAYS_PICTURE = {
    "en": re.compile(r"(an?\s+|the\s+)?(image|photo(graph)?|picture)\s+(of|showing|shows)\b"),
    "de": re.compile(r"(ein\s+|das\s+)?(bild|foto(grafie)?)\s+(von|mit|zeigt|eines|einer)\b"),
}


def advice(text: str, language: str) -> dict[str, str]:
    """Stable code → sentence: ``file-name``, ``placeholder``, ``says-picture``, ``long``."""
    text = " ".join(text.lower().split())
    found = {
        code: say() for code, (is_so, say) in _RULES.items() if text and is_so(text, language)
    }
    if "placeholder" in found:
        found.pop("file-name", None)
    return found


def duplicates(asset: Asset, text: str, language: str) -> QuerySet[AltText]:
    """The same words for other pictures, in the same language."""
    same = AltText.objects.filter(language=language, text__iexact=text.strip())
    return same.exclude(asset=asset).exclude(text="")


Rule = tuple[Callable[[str, str], bool], Callable[[], str]]


def _says_picture(text: str, language: str) -> bool:
    pattern = _SAYS_PICTURE.get(language.partition("-")[0])
    return pattern is not None and pattern.match(text) is not None


_RULES: Mapping[str, Rule] = {
    "placeholder": (
        lambda text, language: _PLACEHOLDER.fullmatch(text) is not None,
        lambda: _("This says nothing about the picture. Write what it shows."),
    ),
    "file-name": (
        lambda text, language: _FILE_NAME.fullmatch(text) is not None,
        lambda: _("This looks like the name of a file. Write what the picture shows."),
    ),
    "says-picture": (
        _says_picture,
        lambda: _("Screen readers say already that it is a picture. Begin with what it shows."),
    ),
    "long": (
        lambda text, language: len(text) > LONG,
        lambda: _("This is long. Put details into the text of the page, for everybody."),
    ),
}
