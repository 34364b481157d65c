"""What a run that nobody has taken up yet is waiting for."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from imagepipe.views.step_rows import in_words
from imagepipe.workflow.models import Run, RunState

PATIENCE = dt.timedelta(seconds=20)
"""After that, with nothing running at all, probably no worker is."""


def waiting_message(run: Run) -> str:
    """How many runs are ahead, or that no worker seems to be there."""
    if run.paused:
        return _("Paused. It waits until somebody resumes it on the queue page.")
    if run.not_before is not None and run.not_before > timezone.now():
        wait = in_words((run.not_before - timezone.now()).total_seconds())
        return _("The last attempt failed. It is tried again in %(time)s.") % {"time": wait}
    queued = Run.objects.filter(state=RunState.QUEUED)
    ahead = queued.filter(
        Q(priority__gt=run.priority) | Q(priority=run.priority, created_at__lt=run.created_at)
    ).count()
    running = Run.objects.filter(state=RunState.RUNNING).count()
    if not running and timezone.now() - run.created_at > PATIENCE:
        return _("No worker has taken it up yet. Is one running (manage.py imagepipe worker)?")
    before = ahead + running
    if not before:
        return _("Waiting for a worker …")
    return ngettext(
        "Waiting: %(count)d run is before this one.",
        "Waiting: %(count)d runs are before this one.",
        before,
    ) % {"count": before}
