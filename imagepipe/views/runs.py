"""Runs: the page of one, and what can be asked of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import open_run, visible_candidates, visible_runs
from imagepipe.views.breadcrumbs import Crumbs, here, runs_crumbs
from imagepipe.views.costs import cost_of
from imagepipe.views.edited_picture import origin_of
from imagepipe.views.graph_drawing import draw
from imagepipe.views.progress import card_context, describe, warnings_of
from imagepipe.views.replays import report_of
from imagepipe.views.run_stream import stream_possible
from imagepipe.views.slots import slots
from imagepipe.views.step_rows import step_rows
from imagepipe.workflow.actions import CancelRun, RetryRun
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.notice_actions import asked_for


class RunView(WagtailAdminTemplateMixin, View):
    """Progress while it runs, then the candidates side by side."""

    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/run.html"

    def get(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        self.run = open_run(request.user, uid)
        return self.render_to_response(self.get_context_data())

    def get_page_title(self) -> str:
        return self.run.title

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*runs_crumbs(), *here(self.run.title)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = slots(self.run, self.request.user)
        return super().get_context_data(
            run=self.run,
            slots=sorted(found, key=lambda slot: not slot.is_pinned),
            progress=describe(self.run, found),
            prompt=prompt_of(self.run),
            source=visible_candidates(self.request.user)
            .filter(pk=self.run.variation_of_id)
            .first(),
            edited=origin_of(self.request.user, self.run),
            warnings=warnings_of(self.run),
            drawing=draw(self.run, step_rows(self.run)),
            is_told=self.request.user.pk in asked_for(self.run),
            replay=report_of(self.run),
            has_stream=stream_possible(self.request),
            repeated=visible_runs(self.request.user).filter(pk=self.run.retry_of_id).first(),
            retries=visible_runs(self.request.user).filter(retry_of=self.run).defer("graph"),
            cost=cost_of(self.run),
            repeatable=self.run.state in (RunState.FAILED, RunState.CANCELLED),
            **card_context(self.request, self.run),
            **kwargs,
        )


def prompt_of(run: Run) -> str:
    request = run.request if isinstance(run.request, dict) else {}
    return str(request.get("prompt_used") or request.get("prompt") or "")


@require_POST
def cancel_run(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    run = open_run(request.user, uid)
    try:
        CancelRun(run, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        cancelled = run.state == RunState.CANCELLED
        messages.success(
            request, _("The run was cancelled.") if cancelled else _("The run is stopping.")
        )
    return redirect("imagepipe_admin:run", run.uid)


@require_POST
def retry_run(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    run = open_run(request.user, uid)
    try:
        repeated = RetryRun(run, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
        return redirect("imagepipe_admin:run", run.uid)
    messages.success(request, _("The run was started again; finished work is taken over."))
    return redirect("imagepipe_admin:run", repeated.uid)
