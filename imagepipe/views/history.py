"""Everything that was tried: the candidates of all runs that a person may see."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.models import Collection

from imagepipe.generation.request import Mode
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.access import MAKING, visible_candidates, visible_runs
from imagepipe.views.permitted import PermittedMixin
from imagepipe.workflow.mark_models import Star
from imagepipe.workflow.models import Candidate

WAYS = {
    Mode.TEXT_TO_IMAGE: _("From words"),
    Mode.IMAGE_TO_IMAGE: _("From a picture"),
    Mode.INPAINT: _("A region made anew"),
    Mode.OUTPAINT: _("Extended"),
}


def _models(request: Any) -> QuerySet[RegisteredModel]:
    seen = visible_runs(request.user).values("model") if request else []
    return RegisteredModel.objects.filter(pk__in=seen)


def _collections(request: Any) -> QuerySet[Collection]:
    seen = visible_runs(request.user).values("collection") if request else []
    return Collection.objects.filter(pk__in=seen)


class HistoryFilterSet(WagtailFilterSet):
    by = django_filters.ChoiceFilter(
        label=_("Started by"),
        choices=[("me", _("Me"))],
        empty_label=_("Everybody"),
        method="started_by",
    )
    mark = django_filters.ChoiceFilter(
        label=_("Marked"),
        choices=[("star", _("With my star")), ("pin", _("Pinned"))],
        method="marked",
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=Candidate.State.choices)
    way = django_filters.ChoiceFilter(
        label=_("Made"), field_name="recipe__mode", choices=list(WAYS.items())
    )
    model = django_filters.ModelChoiceFilter(
        label=_("Model"), field_name="run__model", queryset=_models
    )
    collection = django_filters.ModelChoiceFilter(
        label=_("Collection"), field_name="run__collection", queryset=_collections
    )

    class Meta:
        model = Candidate
        fields: list[str] = []

    def started_by(
        self, candidates: QuerySet[Candidate], name: str, value: str
    ) -> QuerySet[Candidate]:
        mine = Q(run__created_by=self.request.user)
        return candidates.filter(mine) if value == "me" else candidates

    def marked(
        self, candidates: QuerySet[Candidate], name: str, value: str
    ) -> QuerySet[Candidate]:
        return candidates.filter(Q(starred=True) if value == "star" else Q(pinned=True))


class HistoryView(PermittedMixin, BaseListingView):
    """Newest first; words are looked for in the brief and in the prompt."""

    any_verb = MAKING
    page_title = _("History")
    header_icon = "time"
    template_name = "imagepipe/studio/history.html"
    results_template_name = "imagepipe/studio/history_results.html"
    index_url_name = "imagepipe_admin:history"
    index_results_url_name = "imagepipe_admin:history_results"
    model = Candidate
    filterset_class = HistoryFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["run__title", "recipe__prompt"]
    default_ordering = "-pk"
    paginate_by = 24
    no_results_message = _("Nothing was tried that fits.")

    def get_queryset(self) -> QuerySet[Candidate]:
        own = Star.objects.filter(candidate=OuterRef("pk"), user=self.request.user)
        self.queryset = (
            visible_candidates(self.request.user)
            .select_related("run__created_by", "run__model", "version__asset")
            .annotate(starred=Exists(own))
            .defer("run__graph", "findings")
        )
        return super().get_queryset()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["here"] = self.request.get_full_path().replace("/results/", "/")
        for candidate in context["object_list"]:
            recipe = candidate.recipe if isinstance(candidate.recipe, dict) else {}
            candidate.words = recipe.get("prompt", "")
        return context
