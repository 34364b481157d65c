"""The workers: which are there, what they hold in memory, what they work on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from imagepipe.views.access import MAKING, visible_runs
from imagepipe.views.permitted import PermittedMixin
from imagepipe.views.step_rows import in_words, kind_label
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.queue_models import QueueWorker
from imagepipe.workflow.waiting_list import WORKER_SILENCE

GONE_AFTER = dt.timedelta(hours=1)
"""Workers that have been silent for longer are not shown."""
SHOWN = 200


@dataclass(frozen=True)
class WorkerRow:
    """One worker; ``run`` is what it works on, if the person may see that."""

    worker: QueueWorker
    state: str
    is_alive: bool
    seen: str
    running_for: str
    run: Run | None
    works: bool
    step: str


class WorkersView(PermittedMixin, WagtailAdminTemplateMixin, View):
    """A table that is drawn anew every few seconds."""

    any_verb = MAKING
    page_title = gettext_lazy("Workers")
    header_icon = "cogs"
    template_name = "imagepipe/studio/workers.html"
    results_only = False

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.results_only:
            return HttpResponse(results(request))
        return self.render_to_response(self.get_context_data())

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        queue = {"url": reverse("imagepipe_admin:queue"), "label": _("Queue")}
        return [*self.breadcrumbs_items, queue, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(results=results(self.request), **kwargs)


def results(request: HttpRequest) -> str:
    """The table as HTML."""
    context = {"rows": worker_rows(request.user)}
    return render_to_string("imagepipe/studio/includes/workers_table.html", context, request)


def worker_rows(user: AbstractBaseUser) -> list[WorkerRow]:
    """Three queries besides those about the rights of the person."""
    now = timezone.now()
    workers = list(QueueWorker.objects.filter(seen_at__gt=now - GONE_AFTER)[:SHOWN])
    keys = [worker.run_id for worker in workers if worker.run_id is not None]
    runs = visible_runs(user).filter(pk__in=keys).defer("graph").in_bulk() if keys else {}
    steps = StepRun.objects.filter(run__in=keys, state=RunState.RUNNING)
    nodes = dict(steps.values_list("run", "node")) if keys else {}
    rows = [
        _row(worker, runs.get(worker.run_id), nodes.get(worker.run_id, ""), now)
        for worker in workers
    ]
    return sorted(rows, key=lambda row: not row.is_alive)


def _row(worker: QueueWorker, run: Run | None, node: str, now: dt.datetime) -> WorkerRow:
    silence = max(dt.timedelta(), now - worker.seen_at)
    stopped = worker.state == QueueWorker.State.STOPPED
    is_alive = not stopped and silence.total_seconds() < WORKER_SILENCE
    return WorkerRow(
        worker=worker,
        state=worker.get_state_display() if is_alive or stopped else _("Not heard of"),
        is_alive=is_alive,
        seen=_("%(time)s ago") % {"time": in_words(silence.total_seconds())},
        running_for=in_words(max(0.0, (worker.seen_at - worker.started_at).total_seconds())),
        run=run if is_alive else None,
        works=is_alive and worker.run_id is not None,
        step=_step(node),
    )


def _step(node: str) -> str:
    stem, _dash, number = node.rpartition("-")
    if stem and number.isdecimal():
        return f"{kind_label(stem)} {int(number) + 1}"
    return kind_label(node)
