"""What people do to waiting runs (pause, resume, move, hurry) and to failed ones."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.events.bus import RunQueued, emit
from imagepipe.exceptions import InvalidState
from imagepipe.workflow import expenses, quotas, state
from imagepipe.workflow.enqueue import HIGHEST_PRIORITY, LOWEST_PRIORITY
from imagepipe.workflow.exceptions import QuotaExceeded
from imagepipe.workflow.model_choice import usable_model
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import Quota

OPEN_STATES = (RunState.QUEUED, RunState.RUNNING)


class PauseRun(Action[Run, Run]):
    """Keep a run from being worked on; one that runs is put back before its next step."""

    action_name = "imagepipe.run.pause"
    permission_policy_action = "generate"

    def perform(self) -> Run:
        return _change_open(self.instance, paused=True)


class ResumeRun(Action[Run, Run]):
    """Let a paused run be worked on again; a pause between attempts ends too."""

    action_name = "imagepipe.run.resume"
    permission_policy_action = "generate"

    def perform(self) -> Run:
        run = _change_open(self.instance, paused=False, not_before=None)
        if run.state == RunState.QUEUED:
            emit(RunQueued(run.uid.hex))
        return run


class SetPriority(Action[Run, Run]):
    """Give a run another priority, −100 (whenever) to 100 (urgent)."""

    action_name = "imagepipe.run.set_priority"
    permission_policy_action = "generate"

    def __init__(self, run: Run, user: AbstractBaseUser | None, *, priority: int) -> None:
        super().__init__(run, user)
        self.priority = priority

    def perform(self) -> Run:
        if not LOWEST_PRIORITY <= self.priority <= HIGHEST_PRIORITY:
            raise InvalidState(
                _("A priority is a whole number from %(lowest)d to %(highest)d.")
                % {"lowest": LOWEST_PRIORITY, "highest": HIGHEST_PRIORITY}
            )
        run = self.instance
        self.audit_data = {"from": run.priority, "to": self.priority}
        run = _change_open(run, priority=self.priority, position=None)
        if run.state == RunState.QUEUED:
            emit(RunQueued(run.uid.hex))
        return run


class MoveRun(Action[Run, Run]):
    """Move a waiting run by ``places`` among those of the same person and priority.

    Negative numbers move it forward. Nobody else's runs change their turn.
    """

    action_name = "imagepipe.run.move"
    permission_policy_action = "generate"

    def __init__(self, run: Run, user: AbstractBaseUser | None, *, places: int) -> None:
        super().__init__(run, user)
        self.places = places

    def perform(self) -> Run:
        run = self.instance
        run.refresh_from_db()
        if run.state != RunState.QUEUED:
            raise InvalidState(_("Only a waiting run can be moved."))
        rows = Run.objects.select_for_update().filter(
            state=RunState.QUEUED, created_by=run.created_by_id, priority=run.priority
        )
        queue = sorted(rows.only("position", "created_at"), key=turn)
        places = sorted(turn(other)[0] for other in queue)
        index = next(i for i, other in enumerate(queue) if other.pk == run.pk)
        moved = queue.pop(index)
        target = max(0, min(len(queue), index + self.places))
        queue.insert(target, moved)
        previous = float("-inf")
        for other, place in zip(queue, places, strict=True):
            # Two runs may have been created in the same microsecond.
            previous = max(place, previous + 1e-6)
            if turn(other)[0] != previous:
                Run.objects.filter(pk=other.pk).update(position=previous)
        self.audit_data = {"from": index, "to": target}
        run.refresh_from_db()
        return run


class RetryFailedSteps(Action[Run, Run]):
    """Put a failed run back into the queue; what it has finished is not done again.

    Raises ``QuotaExceeded`` when there is no money left for the rest.
    """

    action_name = "imagepipe.run.retry_failed_steps"
    permission_policy_action = "generate"

    def perform(self) -> Run:
        run = self.instance
        run.refresh_from_db()
        if run.state != RunState.FAILED:
            raise InvalidState(_("Only a failed run can be tried again."))
        if run.model_id is not None:
            usable_model(run.model)
        who = run.created_by if self.user is not None else None
        quotas.check(who, run.site, {str(Quota.Unit.COST): expenses.outstanding(run)})
        self.audit_data = {"error_code": run.error_code, "attempt": run.attempt}
        state.advance(
            run,
            RunState.QUEUED,
            attempt=0,
            message="",
            error="",
            error_code="",
            error_class="",
            not_before=None,
            paused=False,
            cancel_requested=False,
        )
        emit(RunQueued(run.uid.hex))
        return run


def turn(run: Run) -> tuple[float, int]:
    """Return what orders the waiting runs of one person and priority."""
    place = run.created_at.timestamp() if run.position is None else run.position
    return place, run.pk


def retry_dead_letters(runs: list[Run], user: AbstractBaseUser | None) -> list[Run]:
    """Try those failed runs again that ``user`` may; returns them. Others are passed over."""
    retried = []
    for run in runs:
        action = RetryFailedSteps(run, user)
        if user is not None and not action.user_has_permission():
            continue
        try:
            retried.append(action.execute())
        except (InvalidState, QuotaExceeded):
            continue
    return retried


def _change_open(run: Run, **values: object) -> Run:
    changed = Run.objects.filter(pk=run.pk, state__in=OPEN_STATES).update(**values)
    run.refresh_from_db()
    if not changed:
        raise InvalidState(
            _("The run is “%(state)s” already.") % {"state": run.get_state_display()}
        )
    return run
