"""Many pictures that differ in chosen values: estimate first, then start, then look."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.exceptions import ImagepipeError
from imagepipe.generation.prices import in_money
from imagepipe.views.access import visible_runs
from imagepipe.views.breadcrumbs import HOME, Crumbs, here, runs_crumbs
from imagepipe.views.matrix_form import MatrixForm
from imagepipe.views.quotas import refusal
from imagepipe.views.step_rows import in_words
from imagepipe.workflow.estimates import estimate
from imagepipe.workflow.matrix_actions import runs_of


class MatrixView(WagtailAdminTemplateMixin, View):
    """The form. It is sent once for the estimate, and once more to start."""

    page_title = gettext_lazy("Matrix")
    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/matrix.html"

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*HOME, *here(self.page_title)]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(MatrixForm(request.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = MatrixForm(request.user, request.POST)
        if not form.is_valid():
            messages.validation_error(
                request, _("Nothing was started because of what is marked below."), form
            )
            return self._show(form)
        if "start" not in request.POST:
            found = estimate(form.plans, request.user)
            return self._show(
                form,
                estimate=found,
                cost=in_money(found.cost) if found.cost else "",
                computing=None if found.seconds is None else in_words(found.seconds),
                elapsed=None if found.elapsed is None else in_words(found.elapsed),
                cells=form.cells,
            )
        try:
            runs = form.start()
        except ImagepipeError as error:
            form.add_error(None, refusal(error))
            return self._show(form)
        messages.success(request, _("%(count)d runs are in the queue.") % {"count": len(runs)})
        return redirect("imagepipe_admin:matrix_runs", form.cleaned_data["sheet"])

    def _show(self, form: MatrixForm, **more: Any) -> HttpResponse:
        return self.render_to_response(
            self.get_context_data(form=form, media=form.media, **more)
        )


class MatrixRunsView(WagtailAdminTemplateMixin, View):
    """The runs of a matrix side by side."""

    page_title = gettext_lazy("Matrix")
    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/matrix_runs.html"

    def get_breadcrumbs_items(self) -> Crumbs:
        return [*runs_crumbs(), *here(self.page_title)]

    def get(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        seen = visible_runs(request.user).values("pk")
        runs = list(
            runs_of(uid).filter(pk__in=seen).defer("graph").prefetch_related("candidates")
        )
        if not runs:
            raise Http404
        done = sum(run.is_finished for run in runs)
        return self.render_to_response(self.get_context_data(runs=runs, done=done))
