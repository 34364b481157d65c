"""All runs that a person may see."""

from __future__ import annotations

import django_filters
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, StatusTagColumn, TitleColumn, UserColumn
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.admin.widgets.button import HeaderButton

from imagepipe.views.access import MAKING, may, visible_runs
from imagepipe.views.permitted import PermittedMixin
from imagepipe.views.wide import WIDE
from imagepipe.workflow.models import Candidate, Run, RunState


class RunFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=RunState.choices)
    by = django_filters.ChoiceFilter(
        label=_("Started by"),
        choices=[("me", _("Me"))],
        empty_label=_("Everybody"),
        method="started_by",
    )

    class Meta:
        model = Run
        fields: list[str] = []

    def started_by(self, runs: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        return runs.filter(created_by=self.request.user) if value == "me" else runs


class RunIndexView(PermittedMixin, BaseListingView):
    """Newest first, with how many pictures wait for a decision."""

    any_verb = MAKING
    page_title = _("Runs")
    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/listing.html"
    results_template_name = "imagepipe/studio/listing_results.html"
    index_url_name = "imagepipe_admin:runs"
    index_results_url_name = "imagepipe_admin:runs_results"
    model = Run
    filterset_class = RunFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["title"]
    default_ordering = "-created_at"
    paginate_by = 20
    no_results_message = _("There are no runs to show.")

    def get_base_queryset(self) -> QuerySet[Run]:
        open_states = Q(candidates__state=Candidate.State.OFFERED)
        return (
            visible_runs(self.request.user)
            .select_related("created_by__wagtail_userprofile", "template", "collection")
            .annotate(
                made=Count("candidates"),
                undecided=Count("candidates", filter=open_states),
            )
            .defer("graph")
        )

    def get_queryset(self) -> QuerySet[Run]:
        self.queryset = self.get_base_queryset()
        return super().get_queryset()

    @cached_property
    def columns(self) -> list[Column]:
        return [
            TitleColumn(
                "title",
                label=_("Brief"),
                get_url=lambda run: reverse("imagepipe_admin:run", args=[run.uid]),
                sort_key="title",
                width="35%",
            ),
            StatusTagColumn(
                "state",
                label=_("State"),
                accessor="get_state_display",
                primary=lambda run: not run.is_finished,
                sort_key="state",
            ),
            Column("undecided", label=_("To decide")),
            Column("made", label=_("Pictures"), classname=WIDE),
            Column("collection", label=_("Collection"), classname=WIDE),
            UserColumn("created_by", label=_("Started by"), classname=WIDE),
            DateColumn("created_at", label=_("Started"), sort_key="created_at"),
        ]

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not may(self.request.user, "generate"):
            return []
        url = reverse("imagepipe_admin:generate")
        return [HeaderButton(_("Generate"), url=url, icon_name="plus")]
