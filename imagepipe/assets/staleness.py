"""Alternative texts that were written for other pixels than those that are shown."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from imagepipe.assets.models import AltText, Asset, AssetVersion


def described_version(asset: Asset) -> AssetVersion | None:
    """The version that texts are about: the published one, else the newest."""
    return asset.published_version or asset.latest_version()


def outdated(asset: Asset, version: AssetVersion | None = None) -> set[str]:
    """Languages whose text is not about ``version``, or about what is shown.

    Where it was not recorded what a text is about, its date decides.
    """
    version = version or described_version(asset)
    if version is None:
        return set()
    recorded = Q(version__isnull=False) & ~Q(version__sha256=version.sha256)
    by_date = Q(version=None, updated_at__lt=version.created_at)
    texts = AltText.objects.filter(recorded | by_date, asset=asset).exclude(text="")
    return set(texts.values_list("language", flat=True))


def with_outdated(assets: QuerySet[Asset], language: str | None = None) -> QuerySet[Asset]:
    """Annotate ``has_outdated``: in this language, or in any."""
    newest = AssetVersion.objects.filter(asset=OuterRef("pk")).order_by("-number")
    assets = assets.annotate(
        shown_sha256=Coalesce(
            F("published_version__sha256"), Subquery(newest.values("sha256")[:1])
        ),
        shown_since=Coalesce(
            F("published_version__created_at"), Subquery(newest.values("created_at")[:1])
        ),
    )
    recorded = Q(version__isnull=False) & ~Q(version__sha256=OuterRef("shown_sha256"))
    by_date = Q(version=None, updated_at__lt=OuterRef("shown_since"))
    texts = AltText.objects.filter(recorded | by_date, asset=OuterRef("pk")).exclude(text="")
    if language is not None:
        texts = texts.filter(language=language)
    return assets.annotate(has_outdated=Exists(texts))
