"""Puts a new run into the queue, if there is room for it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.events.bus import RunQueued, emit
from imagepipe.workflow import quotas
from imagepipe.workflow.exceptions import QueueRefused
from imagepipe.workflow.expenses import expected_cost
from imagepipe.workflow.forecasts import expected_of
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.notice_actions import KEY, always_wanted, asked_for

LOWEST_PRIORITY, HIGHEST_PRIORITY = -100, 100


def queue_run(run: Run, user: AbstractBaseUser | None) -> None:
    """Save a new run, if there is room for it, and tell the workers.

    Raises ``QueueRefused``, or ``QuotaExceeded`` when a quota of the person or site is used up.
    """
    most = get_settings().MAX_WAITING
    if Run.objects.filter(state=RunState.QUEUED).count() >= most:
        raise QueueRefused(
            _("%(count)d runs are waiting already. Start yours when there are fewer.")
            % {"count": most}
        )
    run.priority = max(LOWEST_PRIORITY, min(HIGHEST_PRIORITY, run.priority))
    run.state = RunState.QUEUED
    run.created_by = user
    run.estimated_seconds = expected_of(run).seconds
    needs = run.model.defaults if run.model_id else {}
    run.resource = run.resource or str(needs.get("resource", ""))[:40]
    run.memory_bytes = run.memory_bytes or max(0, int(needs.get("memory_bytes", 0)))
    pictures = len(run.request.get("seeds", ()))
    run.estimated_cost = expected_cost(run, run.estimated_seconds)
    wanted = quotas.wanted(1, pictures, run.estimated_seconds, run.estimated_cost)
    quotas.check(user, run.site, wanted)
    if told := always_wanted(user):
        run.request = run.request | {KEY: sorted({*asked_for(run), *told})}
    run.save(force_insert=True)
    emit(RunQueued(run.uid.hex))
