"""Which pictures want words: missing, outdated, the same as another's, or not good ones."""

from __future__ import annotations

from collections.abc import Collection
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

    @property
    def key(self) -> str:
        return f"{self.asset}:{self.language}"


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
        wanted |= Q(pk__in=_any_reason(assets, [MISSING, OUTDATED], language).values("pk"))
    return assets.filter(wanted).order_by("pk")


def remaining(assets: QuerySet[Asset], reasons: list[str], languages: list[str]) -> int:
    """How many texts there are to do, each counted once."""
    return sum(_any_reason(assets, reasons, language).count() for language in languages)


def neighbour(
    assets: QuerySet[Asset],
    reasons: list[str],
    languages: list[str],
    at: Item | None,
    *,
    backwards: bool = False,
    aside: Collection[str] = (),
) -> Item | None:
    """The item after (or before) ``at``, those set ``aside`` left out; at the end the first.

    Only a bounded part of the list is read.
    """
    order = {code: place for place, code in enumerate(site_languages())}
    look = len(aside) + 2
    everything = assets
    found: set[Item] = set()
    if at is not None:
        assets = assets.filter(**{f"pk__{'lte' if backwards else 'gte'}": at.asset})
    assets = assets.order_by("-pk" if backwards else "pk")
    for language in languages:
        place = order.get(language, len(order))
        for reason in reasons:
            keys = in_need(assets, reason, language).values_list("pk", flat=True)[:look]
            found |= {Item(key, place, language) for key in keys}
    beyond = [
        item
        for item in sorted(found, reverse=backwards)
        if item.key not in aside and (at is None or (item < at if backwards else item > at))
    ]
    if beyond or at is None:
        return beyond[0] if beyond else None
    return neighbour(everything, reasons, languages, None, backwards=backwards, aside=aside)


def _any_reason(assets: QuerySet[Asset], reasons: list[str], language: str) -> QuerySet[Asset]:
    wanted = Q(pk__in=[])
    for reason in reasons:
        wanted |= Q(pk__in=in_need(assets, reason, language).values("pk"))
    return assets.filter(wanted)
