"""The queue: what waits and runs, what failed, and what can be asked of it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.views.access import MAKING, collections_for, may_any, visible_runs
from imagepipe.views.permitted import PermittedMixin
from imagepipe.views.queue_changes import Outcome, change
from imagepipe.views.queue_rows import PRIORITIES, queue_rows, workers_in_words
from imagepipe.views.sentences import in_reader_language
from imagepipe.workflow.models import Run, RunState

TABS = {
    "mine": gettext_lazy("Mine"),
    "all": gettext_lazy("All"),
    "failed": gettext_lazy("Failed"),
}
PER_PAGE = 50


class QueueView(PermittedMixin, WagtailAdminTemplateMixin, View):
    """One of the three tabs; ``results_only`` is the part that changes."""

    any_verb = MAKING
    page_title = gettext_lazy("Queue")
    header_icon = "list-ol"
    template_name = "imagepipe/studio/queue.html"
    results_only = False

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.results_only:
            return HttpResponse(results(request))
        return self.render_to_response(self.get_context_data())

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            results=results(self.request),
            tabs=[
                (name, label, name == shown_tab(self.request)) for name, label in TABS.items()
            ],
            shown=shown_tab(self.request),
            **kwargs,
        )


def shown_tab(request: HttpRequest) -> str:
    shown = request.GET.get("show", "mine")
    return shown if shown in TABS else "mine"


def results(request: HttpRequest) -> str:
    """The table of the tab that is shown, as HTML."""
    shown = shown_tab(request)
    if shown == "failed":
        return render_to_string(
            "imagepipe/studio/includes/failed_table.html", failed(request), request
        )
    rows, view = queue_rows(request.user, mine=shown == "mine")
    context = {
        "rows": rows,
        "summary": workers_in_words(view),
        "no_workers": not view.workers,
        "priorities": PRIORITIES,
        "may_change": any(row.may_change for row in rows),
        "mine": shown == "mine",
    }
    return render_to_string("imagepipe/studio/includes/queue_table.html", context, request)


def failed(request: HttpRequest) -> dict[str, Any]:
    page = Paginator(failed_runs(request), PER_PAGE).get_page(request.GET.get("p"))
    changeable = set(collections_for(request.user, "generate").values_list("pk", flat=True))
    rows = [
        (run, in_reader_language(run.error), run.collection_id in changeable) for run in page
    ]
    return {
        "page_obj": page,
        "rows": rows,
        "may_change": any(may for _run, _error, may in rows),
    }


def failed_runs(request: HttpRequest) -> QuerySet[Run]:
    """Those that nobody has started again yet, the latest first."""
    return (
        visible_runs(request.user)
        .filter(state=RunState.FAILED, retries=None)
        .select_related("created_by__wagtail_userprofile")
        .defer("graph")
        .order_by("-finished_at", "-pk")
    )


@require_POST
def change_queue(request: HttpRequest) -> HttpResponse:
    """``one=what:uid`` for the button of a row, or ``do=what`` for all ticked as ``run``.

    Scripts get JSON with the new table; browsers without are led back to it.
    """
    if not may_any(request.user, MAKING):
        raise PermissionDenied
    what, _colon, uid = request.POST.get("one", "").partition(":")
    if what:
        outcome = change(request.user, what, [uid], request.POST)
    else:
        chosen = request.POST.getlist("run")
        outcome = change(request.user, request.POST.get("do", ""), chosen, request.POST)
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        said = [outcome.message, *outcome.refusals]
        return JsonResponse(
            {
                "message": " ".join(filter(None, said)),
                "failed": bool(outcome.refusals),
                "html": results(request),
            }
        )
    return _led_back(request, outcome)


def _led_back(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    if outcome.message:
        messages.success(request, outcome.message)
    for refusal in outcome.refusals[:5]:
        messages.error(request, refusal)
    if len(outcome.refusals) > 5:
        messages.error(request, _("There are more that were left as they are."))
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return redirect(target)
    return redirect(f"{reverse('imagepipe_admin:queue')}?show={shown_tab(request)}")
