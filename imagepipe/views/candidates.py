"""One candidate at full size, and the decisions about it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import open_candidate, verbs_on
from imagepipe.views.breadcrumbs import Crumbs, here, run_crumbs
from imagepipe.views.candidate_forms import AcceptForm
from imagepipe.views.findings import in_words
from imagepipe.views.quotas import refusal
from imagepipe.views.recipes import recipe_rows
from imagepipe.views.review_forms import RejectForm, first_error
from imagepipe.views.variations import start_variation, what_was_started
from imagepipe.workflow.actions import RejectCandidate
from imagepipe.workflow.models import Candidate


class CandidateView(WagtailAdminTemplateMixin, View):
    """Larger view with the form that approves; posting to it approves."""

    header_icon = "imagepipe-studio"
    template_name = "imagepipe/studio/candidate.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.candidate = open_candidate(request.user, kwargs["uid"])

    def get_page_title(self) -> str:
        return _("%(run)s, picture %(number)d") % {
            "run": self.candidate.run.title,
            "number": self.candidate.index + 1,
        }

    def get_breadcrumbs_items(self) -> Crumbs:
        number = {"number": self.candidate.index + 1}
        return [*run_crumbs(self.candidate.run), *here(_("Picture %(number)d") % number)]

    def get(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        return self._show(AcceptForm(self.candidate, request.user))

    def post(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        form = AcceptForm(self.candidate, request.user, request.POST)
        if not form.is_valid():
            messages.validation_error(
                request, _("The picture was not approved because of what is marked."), form
            )
            return self._show(form)
        try:
            version = form.accept()
        except ImagepipeError as error:
            messages.error(request, str(error))
            return redirect("imagepipe_admin:candidate", self.candidate.uid)
        messages.success(request, form.success_message())
        return redirect("imagepipe_admin:asset", version.asset.uid)

    def _show(self, form: AcceptForm) -> HttpResponse:
        candidate, verbs = self.candidate, verbs_on(self.request.user, self.candidate.run)
        context = self.get_context_data(
            candidate=candidate,
            run=candidate.run,
            form=form,
            media=form.media,
            reject_form=RejectForm(auto_id="reject_%s"),
            reject_url=reverse("imagepipe_admin:candidate_reject", args=[candidate.uid]),
            checks=in_words(candidate.findings),
            recipe=recipe_rows(candidate.recipe),
            is_open=candidate.state == Candidate.State.OFFERED,
            verbs=verbs,
        )
        return self.render_to_response(context)


@require_POST
def reject_candidate(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    candidate = open_candidate(request.user, uid)
    form = RejectForm(request.POST)
    try:
        if not form.is_valid():
            raise ImagepipeError(first_error(form))
        RejectCandidate(candidate, request.user, **form.cleaned_data).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("Picture %(number)d was rejected.") % {"number": candidate.index + 1},
        )
    return redirect("imagepipe_admin:run", candidate.run.uid)


@require_POST
def more_like_this(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    candidate = open_candidate(request.user, uid)
    source = candidate.run
    try:
        run = start_variation(request, candidate)
    except ImagepipeError as error:
        messages.error(request, refusal(error))
        return redirect("imagepipe_admin:run", source.uid)
    messages.success(request, what_was_started(candidate, run))
    return redirect("imagepipe_admin:run", run.uid)
