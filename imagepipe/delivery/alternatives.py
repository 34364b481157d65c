"""Choosing an alternative text by language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def choose_alt(texts: Mapping[str, str], language: str) -> str:
    """The text for a language: its own, its base language's, the default language's, any."""
    for code in (*_codes(language), *default_codes()):
        if text := texts.get(code, "").strip():
            return text
    return next((text.strip() for _code, text in sorted(texts.items()) if text.strip()), "")


def alt_is_generated(document: Mapping[str, Any], alt: str) -> bool:
    """Whether a machine wrote what stands there, and nobody has looked at it yet."""
    texts = document.get("alt") or {}
    unseen = document.get("alt_generated") or ()
    return bool(alt) and any(texts.get(code, "").strip() == alt for code in unseen)


def default_codes() -> tuple[str, ...]:
    """The default language of the site, most specific first."""
    return _codes(settings.LANGUAGE_CODE)


def _codes(language: str) -> tuple[str, ...]:
    language = language.lower()
    return tuple(dict.fromkeys((language, language.partition("-")[0])))
