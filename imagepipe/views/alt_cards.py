"""One picture in one language, with everything that helps to describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.coreutils import get_content_languages

from imagepipe.assets.models import AltText, Asset, AssetVersion
from imagepipe.assets.staleness import described_version
from imagepipe.seo.alt_advice import advice, duplicates
from imagepipe.seo.alt_text.context import Place, places_of
from imagepipe.seo.alt_text.facts import SOURCES
from imagepipe.seo.alt_text.grammar import grammar_of
from imagepipe.seo.alt_text.worklist import REASONS, reasons_of
from imagepipe.seo.models import AltSuggestion
from imagepipe.views.access import may

NO_SUGGESTION = {
    "no-facts": gettext_lazy("Nothing is known of this picture that words could be made of."),
    "other-language": gettext_lazy(
        "What is known of this picture is in another language, and is not translated here."
    ),
    "no-grammar": gettext_lazy("Sentences are not composed in this language."),
}


@dataclass(frozen=True)
class ShownSuggestion:
    """A suggestion and, in words, where it comes from."""

    suggestion: AltSuggestion
    origin: str

    @property
    def text(self) -> str:
        return self.suggestion.text


@dataclass(frozen=True)
class Card:
    """``text`` is what the field holds at first; ``current`` what is stored."""

    asset: Asset
    version: AssetVersion
    language: str
    language_name: str
    key: str
    current: str
    text: str
    is_generated: bool
    suggestion: AltSuggestion | None
    """The one that ``text`` was taken from."""
    suggestions: list[ShownSuggestion]
    silence: str
    """Why there is nothing to suggest, if that was looked into."""
    reasons: list[str]
    advice: list[str]
    others: Mapping[str, str]
    """Texts in the other languages."""
    places: tuple[Place, ...]
    may_change: bool


def card_of(asset: Asset, language: str, user: AbstractBaseUser) -> Card | None:
    """None for an asset without a version."""
    version = described_version(asset)
    if version is None:
        return None
    texts = asset.alt_texts()
    current = texts.get(language, "")
    reasons = reasons_of(asset, language)
    suggestions, silence = suggestions_for(asset, language, version)
    chosen = suggestions[0].suggestion if suggestions and not current else None
    text = current or (chosen.text if chosen else "")
    return Card(
        asset=asset,
        version=version,
        language=language,
        language_name=str(dict(get_content_languages()).get(language, language)),
        key=f"{asset.pk}:{language}",
        current=current,
        text=text,
        is_generated=AltText.objects.filter(
            asset=asset, language=language, generated=True
        ).exists(),
        suggestion=chosen,
        suggestions=suggestions,
        silence=silence,
        reasons=[str(REASONS[reason]) for reason in reasons],
        advice=advise(asset, text, language),
        others={code: said for code, said in sorted(texts.items()) if code != language},
        places=places_of(asset),
        may_change=may(user, "change", asset),
    )


def suggestions_for(
    asset: Asset, language: str, version: AssetVersion
) -> tuple[list[ShownSuggestion], str]:
    """Open ones about this version, the strong ones first; else why there are none."""
    rows = list(AltSuggestion.objects.filter(asset=asset, language=language))
    about = [row for row in rows if row.version_id == version.pk]
    shown = [
        ShownSuggestion(row, origin_of(row))
        for row in sorted(about, key=lambda row: row.is_weak)
        if row.text and row.state == AltSuggestion.State.OPEN
    ]
    if shown or any(row.text for row in about):
        return shown, ""
    reasons = [row.reason for row in about if row.reason]
    if not reasons and grammar_of(language) is None:
        reasons = ["no-grammar"]
    return [], str(NO_SUGGESTION.get(reasons[0], "")) if reasons else ""


def origin_of(suggestion: AltSuggestion) -> str:
    """Where the words come from, for people."""
    said = [
        f"{SOURCES[words['source']]} (“{words['text']}”)"
        for words in suggestion.words
        if words.get("source") in SOURCES
    ]
    origin = _("From: %(sources)s.") % {"sources": "; ".join(said)}
    if suggestion.is_weak:
        origin += " " + _("Only a beginning: say more of what the picture shows.")
    return origin


def advise(asset: Asset, text: str, language: str) -> list[str]:
    """What may be wrong with a text for this picture; sentences for people."""
    found = list(advice(text, language).values())
    if duplicates(asset, text, language).exists():
        found.append(_("Another picture has the same words. What makes them different?"))
    if text.strip() and any(text.strip() == place.caption for place in places_of(asset)):
        found.append(_("This repeats the caption, which is read out as well."))
    return found


