"""What people are told of runs: by e-mail if they asked, and of their own on the dashboard."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.ui.components import Component

from imagepipe.events.bus import RunEnded
from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import open_run, visible_runs
from imagepipe.views.e_mail import language_of, send
from imagepipe.views.progress import job_result
from imagepipe.views.sentences import in_reader_language
from imagepipe.workflow.jobs import job_of
from imagepipe.workflow.models import Candidate, Run, RunState
from imagepipe.workflow.notice_actions import AskForNotice, asked_for

RECENT = dt.timedelta(days=7)
SHOWN = 5


@require_POST
def ask_for_notice(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    run = open_run(request.user, uid)
    if not request.user.email:
        messages.error(request, _("Your account has no e-mail address. Add one under Account."))
        return redirect("imagepipe_admin:run", run.uid)
    try:
        AskForNotice(run, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        asked = request.user.pk in asked_for(run)
        messages.success(
            request,
            _("You will get an e-mail when the run has ended.")
            if asked
            else _("You will get no e-mail about this run."),
        )
    return redirect("imagepipe_admin:run", run.uid)


def tell_of_end(event: RunEnded) -> None:
    """Subscriber: write to those who asked and may still see the run."""
    run = Run.objects.filter(uid=event.run_uid).defer("graph").first()
    if run is None:
        return
    people = get_user_model()._default_manager.filter(pk__in=asked_for(run), is_active=True)
    for user in people:
        if user.email and visible_runs(user).filter(pk=run.pk).exists():
            _write_to(user, run)


def _write_to(user: AbstractBaseUser, run: Run) -> None:
    with language_of(user):
        subject = _("%(title)s: %(state)s") % {
            "title": " ".join(run.title.split())[:120],
            "state": run.get_state_display(),
        }
        send(user, subject, _result(run), reverse("imagepipe_admin:run", args=[run.uid]))


def _result(run: Run) -> str:
    if run.state == RunState.FAILED:
        return in_reader_language(run.error)
    if run.state == RunState.CANCELLED:
        return _("The run was cancelled. What was finished is kept.")
    if job_of(run):
        return job_result(run)
    count = run.candidates.filter(state=Candidate.State.OFFERED).count()
    return ngettext(
        "%(count)d picture waits for a decision.",
        "%(count)d pictures wait for a decision.",
        count,
    ) % {"count": count}


class RunsPanel(Component):
    """On the dashboard: runs of one's own that ended lately and still want something."""

    name = "imagepipe_runs"
    template_name = "imagepipe/studio/includes/runs_panel.html"
    order = 160

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        user = parent_context["request"].user
        open_ones = Q(candidates__state=Candidate.State.OFFERED)
        runs = (
            visible_runs(user)
            .filter(
                created_by=user,
                finished_at__gt=timezone.now() - RECENT,
                state__in=(RunState.SUCCEEDED, RunState.FAILED),
            )
            .annotate(undecided=Count("candidates", filter=open_ones, distinct=True))
            .filter(Q(undecided__gt=0) | Q(state=RunState.FAILED, retries=None))
            .defer("graph")
            .order_by("-finished_at")
        )
        return {"runs": runs[:SHOWN]}
