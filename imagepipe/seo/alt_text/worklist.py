"""Which pictures want words: missing, outdated, the same as another's, or not good ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext_lazy as _
from wagtail.coreutils import get_content_languages

from imagepipe.assets.models import AltText, Asset, AssetVersion
from imagepipe.assets.staleness import with_outdated
from imagepipe.delivery.alternatives import default_codes
from imagepipe.seo.alt_advice import advice

MISSING, OUTDATED, DUPLICATE, WARNING, GENERATED = (
    "missing", "outdated", "duplicate", "warning", "generated",
)  # fmt: skip
REASONS = {
    MISSING: _("Missing"),
    OUTDATED: _("Written for an earlier version"),
    GENERATED: _("Generated, seen by nobody"),
    DUPLICATE: _("The same as another picture's"),
    WARNING: _("With a warning"),
}
MOST_ADVISED = 20_000
"""Texts that are read for warnings, the newest first."""


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One picture in one language, by the asset's key and the place of the language."""

    asset: int
    place: int
    language: str


def site_languages() -> tuple[str, ...]:
    """Codes of the content languages, the main one first."""
    codes = list(get_content_languages())
    main = next((code for code in default_codes() if code in codes), "")
    return tuple(sorted(codes, key=lambda code: (code != main, code)))


def in_need(assets: QuerySet[Asset], reason: str, language: str) -> QuerySet[Asset]:
    """Those of ``assets`` that want words in this language for this reason."""
    used = assets.filter(decorative=False).filter(Exists(_versions()))
    texts = AltText.objects.filter(asset=OuterRef("pk"), language=language).exclude(text="")
    if reason == MISSING:
        return used.filter(~Exists(texts))
    if reason == OUTDATED:
        return with_outdated(used, language).filter(has_outdated=True)
    if reason == GENERATED:
        return used.filter(Exists(texts.filter(generated=True)))
    if reason == DUPLICATE:
        return used.filter(pk__in=_duplicates(language))
    return used.filter(pk__in=_advised(language))


def items(assets: QuerySet[Asset], reasons: list[str], languages: list[str]) -> Iterator[Item]:
    """Everything there is to do, one picture after the other, each in all its languages."""
    order = {code: place for place, code in enumerate(site_languages())}
    found: set[Item] = set()
    for language in languages:
        for reason in reasons:
            needed = in_need(assets, reason, language)
            found |= {
                Item(key, order.get(language, len(order)), language)
                for key in needed.values_list("pk", flat=True)
            }
    return iter(sorted(found))


def counts(assets: QuerySet[Asset], languages: list[str]) -> dict[str, int]:
    """How many texts there are to do, by reason."""
    return {
        reason: sum(in_need(assets, reason, language).count() for language in languages)
        for reason in REASONS
    }


def reasons_of(asset: Asset, language: str) -> list[str]:
    """Why this picture is in the list for this language."""
    alone = Asset.objects.filter(pk=asset.pk)
    return [reason for reason in REASONS if in_need(alone, reason, language).exists()]


def _versions() -> QuerySet[AssetVersion]:
    return AssetVersion.objects.filter(asset=OuterRef("pk"))


def _duplicates(language: str) -> QuerySet[AltText]:
    texts = AltText.objects.filter(language=language, asset__decorative=False).exclude(text="")
    same = texts.annotate(said=Lower(Trim("text")))
    several = same.values("said").annotate(pictures=Count("asset")).filter(pictures__gt=1)
    return same.filter(said__in=several.values("said")).values("asset")


def _advised(language: str) -> list[int]:
    texts = AltText.objects.filter(language=language).exclude(text="").order_by("-updated_at")
    rows = texts.values_list("asset", "text")[:MOST_ADVISED]
    return [asset for asset, text in rows if advice(text, language)]


def needs_suggestion(assets: QuerySet[Asset], languages: list[str]) -> QuerySet[Asset]:
    """Those whose text is missing or outdated in one of the languages."""
    wanted = Q(pk__in=[])
    for language in languages:
        for reason in (MISSING, OUTDATED):
            wanted |= Q(pk__in=in_need(assets, reason, language).values("pk"))
    return assets.filter(wanted).order_by("pk")
