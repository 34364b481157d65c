"""Celery: one task that carries the uid of a run. Needs the extra ``celery``.

A project adds this module to its Celery app::

    app.autodiscover_tasks(["imagepipe.workflow.engines"], related_name="celery")
"""

from __future__ import annotations

from celery import current_app, shared_task

from imagepipe.conf import get_settings

STEPS = 10


@shared_task(
    name="imagepipe.run", ignore_result=True, acks_late=True, reject_on_worker_lost=True
)
def look_at_run(run_uid: str) -> bool:
    """Claim and execute the run whose turn it is."""
    from imagepipe.workflow.runner import work_next

    return work_next("celery")


def send(run_uid: str, priority: int) -> None:
    """Put the message into the queue. Raises ``kombu.exceptions.OperationalError``."""
    look_at_run.apply_async(
        (run_uid,), priority=_broker_priority(priority), retry=False, queue=queue_of(run_uid)
    )


def waiting(resource: str) -> int:
    """Return how many messages wait, also those of other tasks in the same queue."""
    queue = get_settings().TASK_QUEUES.get(resource) or current_app.conf.task_default_queue
    with current_app.connection_for_write() as connection:
        try:
            declared = connection.default_channel.queue_declare(queue=queue, passive=True)
        except connection.channel_errors:
            return 0  # nobody has made the queue yet
        return int(declared.message_count)


def queue_of(run_uid: str) -> str | None:
    """Return the queue for the class of machine that the run needs; None: the usual one."""
    from imagepipe.workflow.models import Run

    queues = get_settings().TASK_QUEUES
    if not queues:
        return None
    resource = Run.objects.filter(uid=run_uid).values_list("resource", flat=True).first()
    return queues.get(resource or "")


def _broker_priority(priority: int) -> int:
    """Map −100…100 to 0…9. Redis serves 0 first, AMQP serves 9 first."""
    urgency = round((priority + 100) / 200 * (STEPS - 1))
    with current_app.connection_for_write() as connection:
        redis = connection.transport.driver_type == "redis"
    return STEPS - 1 - urgency if redis else urgency
