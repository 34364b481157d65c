"""RQ through django-rq: the uid of a run in one of three queues. Needs the extra ``rq``.

Workers serve the queues in order: ``manage.py rqworker high default low``. Without ``high``
and ``low`` in ``RQ_QUEUES`` everything goes to ``default``.
"""

from __future__ import annotations

import django_rq
from django.conf import settings

from imagepipe.conf import get_settings

TIMEOUT = 24 * 3600
"""Seconds; the lease, not RQ, decides when a run is lost."""


def look_at_run(run_uid: str) -> bool:
    """Claim and execute the run whose turn it is."""
    from imagepipe.workflow.runner import work_next

    return work_next("rq")


def send(run_uid: str, priority: int) -> None:
    """Put the message into the queue. Raises ``redis.exceptions.ConnectionError``."""
    queue = django_rq.get_queue(_machine_queue(run_uid) or queue_for(priority))
    queue.enqueue(look_at_run, run_uid, job_timeout=TIMEOUT, result_ttl=0)


def waiting(resource: str) -> int:
    """Return how many messages wait, also those of other jobs in the same queues."""
    machine = get_settings().TASK_QUEUES.get(resource)
    priorities = (queue_for(priority) for priority in (-100, 0, 100))
    names = {machine} if machine else set(priorities)
    return sum(django_rq.get_queue(name).count for name in names)


def queue_for(priority: int) -> str:
    """Return the name of the queue for a priority from −100 to 100."""
    wanted = "high" if priority > 33 else "low" if priority < -33 else "default"
    return wanted if wanted in getattr(settings, "RQ_QUEUES", {}) else "default"


def _machine_queue(run_uid: str) -> str | None:
    """The queue of the class of machine that the run needs, if it has one of its own."""
    from imagepipe.workflow.models import Run

    queues = get_settings().TASK_QUEUES
    if not queues:
        return None
    resource = Run.objects.filter(uid=run_uid).values_list("resource", flat=True).first()
    return queues.get(resource or "")
