"""The library: every picture that a person may see, as a grid."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.models import Collection

from imagepipe.assets.models import AltText, Asset, AssetVersion
from imagepipe.seo.alt_text import worklist
from imagepipe.views.access import visible_assets
from imagepipe.views.permitted import PermittedMixin

State = AssetVersion.State


def _collections(request: Any) -> QuerySet[Collection]:
    seen = visible_assets(request.user).values("collection") if request else []
    return Collection.objects.filter(pk__in=seen)


class AssetFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[
            ("review", _("To review")),
            ("approved", _("Approved, not published")),
            ("published", _("Published")),
            ("withdrawn", _("Withdrawn")),
        ],
        method="in_state",
    )
    origin = django_filters.ChoiceFilter(
        label=_("Origin"),
        choices=[("generated", _("Generated")), ("file", _("Came as a file"))],
        method="of_origin",
    )
    alt = django_filters.ChoiceFilter(
        label=_("Alternative text"),
        choices=list(worklist.REASONS.items()),
        method="wants_words",
    )
    collection = django_filters.ModelChoiceFilter(label=_("Collection"), queryset=_collections)

    class Meta:
        model = Asset
        fields: list[str] = []

    def wants_words(self, assets: QuerySet[Asset], name: str, value: str) -> QuerySet[Asset]:
        """In any language of the site."""
        wanted = Q(pk__in=[])
        for language in worklist.site_languages():
            needed = worklist.in_need(Asset.objects.all(), value, language)
            wanted |= Q(pk__in=needed.values("pk"))
        return assets.filter(wanted)

    def in_state(self, assets: QuerySet[Asset], name: str, value: str) -> QuerySet[Asset]:
        if value == "published":
            return assets.filter(published_version__isnull=False)
        if value == "withdrawn":
            return assets.filter(published_version=None, withdrawn_at__isnull=False)
        if value == "review":
            return assets.filter(has_draft=True)
        return assets.filter(published_version=None, latest_state=State.APPROVED)

    def of_origin(self, assets: QuerySet[Asset], name: str, value: str) -> QuerySet[Asset]:
        generated = Q(latest_origin=AssetVersion.Origin.GENERATED)
        return assets.filter(generated if value == "generated" else ~generated)


class AssetIndexView(PermittedMixin, BaseListingView):
    """Newest first; the picture shown is the published one, else the latest."""

    page_title = _("Pictures")
    header_icon = "image"
    results_template_name = "imagepipe/studio/assets_results.html"
    template_name = "imagepipe/studio/assets.html"
    index_url_name = "imagepipe_admin:assets"
    index_results_url_name = "imagepipe_admin:assets_results"
    model = Asset
    filterset_class = AssetFilterSet
    is_searchable = True
    search_backend_name = None
    default_ordering = "-created_at"
    paginate_by = 24
    no_results_message = _("There are no pictures to show.")

    def get_base_queryset(self) -> QuerySet[Asset]:
        versions = AssetVersion.objects.filter(asset=OuterRef("pk"))
        latest = versions.order_by("-number")
        return (
            visible_assets(self.request.user)
            .select_related("published_version")
            .annotate(
                latest_number=Subquery(latest.values("number")[:1]),
                latest_state=Subquery(latest.values("state")[:1]),
                latest_origin=Subquery(latest.values("origin")[:1]),
                has_draft=Exists(versions.filter(state=State.DRAFT)),
            )
        )

    def get_queryset(self) -> QuerySet[Asset]:
        self.queryset = self.get_base_queryset()
        return super().get_queryset()

    def search_queryset(self, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        words = self.search_query
        if not words:
            return queryset
        described = AltText.objects.filter(asset=OuterRef("pk"), text__icontains=words)
        return queryset.filter(Q(title__icontains=words) | Exists(described))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        for asset in context["object_list"]:
            asset.status = status_of(asset)
        return context


def status_of(asset: Asset) -> str:
    """One word for the annotated asset; a draft beside something published is told apart."""
    if asset.published_version_id is not None:
        return State.PUBLISHED.label
    if asset.withdrawn_at is not None:
        return State.WITHDRAWN.label
    return State(asset.latest_state).label if asset.latest_state else _("Empty")
