"""What waits for a review: drafts of the library."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn, UserColumn
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.permissions import policy_registry

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.views.permitted import PermittedMixin
from imagepipe.views.wide import WIDE
from imagepipe.workflow.models import Candidate, Run


class ThumbnailColumn(Column):
    """A small picture of a version."""

    cell_template_name = "imagepipe/studio/includes/thumbnail_cell.html"


class ReviewIndexView(PermittedMixin, BaseListingView):
    """Drafts in the collections where the person may review, oldest first."""

    any_verb = ("review",)
    page_title = _("To review")
    header_icon = "view"
    template_name = "imagepipe/studio/listing.html"
    results_template_name = "imagepipe/studio/review_results.html"
    index_url_name = "imagepipe_admin:review"
    index_results_url_name = "imagepipe_admin:review_results"
    model = AssetVersion
    default_ordering = "created_at"
    paginate_by = 20
    no_results_message = _("No draft waits for a review.")

    def get_queryset(self) -> QuerySet[AssetVersion]:
        assets = policy_registry.get_by_type(Asset)
        reviewed = assets.instances_user_has_permission_for(self.request.user, "review")
        self.queryset = AssetVersion.objects.filter(
            state=AssetVersion.State.DRAFT, asset__in=reviewed
        ).select_related("asset__collection", "created_by__wagtail_userprofile")
        return super().get_queryset()

    @cached_property
    def columns(self) -> list[Column]:
        return [
            ThumbnailColumn("picture", label=_("Picture"), accessor="asset"),
            TitleColumn("asset", label=_("Title"), get_url=_page, width="40%"),
            Column("number", label=_("Version"), classname=WIDE),
            Column("origin", label=_("Origin"), accessor="get_origin_display"),
            Column(
                "collection",
                label=_("Collection"),
                accessor="asset.collection",
                classname=WIDE,
            ),
            UserColumn("created_by", label=_("By"), classname=WIDE),
            DateColumn("created_at", label=_("Since")),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        runs = policy_registry.get_by_type(Run).instances_user_has_permission_for(
            self.request.user, "review"
        )
        offered = Candidate.objects.filter(state=Candidate.State.OFFERED, run__in=runs)
        return super().get_context_data(offered=offered.count(), **kwargs)


def _page(version: AssetVersion) -> str:
    url = reverse("imagepipe_admin:asset", args=[version.asset.uid])
    return f"{url}?version={version.number}"
