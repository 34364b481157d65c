"""Choosing an alternative text by language."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings


def choose_alt(texts: Mapping[str, str], language: str) -> str:
    """The text for a language: its own, its base language's, the default language's, any."""
    for code in (*_codes(language), *default_codes()):
        if text := texts.get(code, "").strip():
            return text
    return next((text.strip() for _code, text in sorted(texts.items()) if text.strip()), "")


def default_codes() -> tuple[str, ...]:
    """The default language of the site, most specific first."""
    return _codes(settings.LANGUAGE_CODE)


def _codes(language: str) -> tuple[str, ...]:
    language = language.lower()
    return tuple(dict.fromkeys((language, language.partition("-")[0])))
