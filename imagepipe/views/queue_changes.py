"""What may be asked of runs on the queue page, of one or of several at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.exceptions import ImagepipeError
from imagepipe.views.access import open_run
from imagepipe.workflow.actions import CancelRun, RetryRun
from imagepipe.workflow.models import Run
from imagepipe.workflow.queue_actions import (
    MoveRun,
    PauseRun,
    ResumeRun,
    RetryFailedSteps,
    SetPriority,
)

AT_MOST = 200
"""Runs that may be changed at once."""
FAR = 1_000_000
Make = Callable[[Run, AbstractBaseUser], Action[Run, Any]]
CHANGES: dict[str, Make] = {
    "pause": PauseRun,
    "resume": ResumeRun,
    "cancel": CancelRun,
    "retry": RetryFailedSteps,
    "repeat": RetryRun,
    "up": lambda run, user: MoveRun(run, user, places=-1),
    "down": lambda run, user: MoveRun(run, user, places=1),
    "first": lambda run, user: MoveRun(run, user, places=-FAR),
}


@dataclass
class Outcome:
    """What was done; ``refusals`` are sentences about runs that were left as they were."""

    done: list[Run] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    message: str = ""


def change(
    user: AbstractBaseUser, what: str, uids: Iterable[str], values: Mapping[str, Any]
) -> Outcome:
    """Do it to each run. Raises ``PermissionDenied`` if one of them is not the person's.

    Nothing is done then; what an action refuses for another reason is told in the outcome.
    """
    make = _maker(what, values)
    if make is None:
        return Outcome(refusals=[_("Choose what to do with the runs.")])
    runs = [open_run(user, uid) for uid in dict.fromkeys(filter(None, map(_uid, uids)))]
    if not runs or len(runs) > AT_MOST:
        return Outcome(refusals=[_("Choose the runs, at most %(count)d.") % {"count": AT_MOST}])
    actions = [make(run, user) for run in runs]
    for action in actions:
        action.check()
    outcome = Outcome()
    for run, action in zip(runs, actions, strict=True):
        try:
            action.execute()
        except ImagepipeError as error:
            outcome.refusals.append(f"{run.title}: {error}")
        else:
            outcome.done.append(run)
    outcome.message = _sentence(what, outcome.done)
    return outcome


def _maker(what: str, values: Mapping[str, Any]) -> Make | None:
    if what in ("priority", "move"):
        number = _whole(values.get(what))
        if number is None:
            return None
        if what == "priority":
            return lambda run, user: SetPriority(run, user, priority=number)
        return lambda run, user: MoveRun(run, user, places=number)
    return CHANGES.get(what)


def _whole(text: Any) -> int | None:
    try:
        number = int(str(text))
    except ValueError:
        return None
    return number if abs(number) <= FAR else None


def _uid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _sentence(what: str, runs: list[Run]) -> str:
    if len(runs) == 1:
        return _one(what) % {"title": runs[0].title}
    return _several(what) % {"count": len(runs)} if runs else ""


def _one(what: str) -> str:
    sentences = {
        "pause": _("“%(title)s” is paused."),
        "resume": _("“%(title)s” goes on."),
        "cancel": _("“%(title)s” was cancelled."),
        "retry": _("“%(title)s” is tried again; what was finished is kept."),
        "repeat": _("“%(title)s” was started again as a new run."),
        "priority": _("“%(title)s” has another priority."),
    }
    return sentences.get(what) or _("“%(title)s” was moved.")


def _several(what: str) -> str:
    sentences = {
        "pause": _("%(count)d runs are paused."),
        "resume": _("%(count)d runs go on."),
        "cancel": _("%(count)d runs were cancelled."),
        "retry": _("%(count)d runs are tried again; what was finished is kept."),
        "repeat": _("%(count)d runs were started again as new ones."),
        "priority": _("%(count)d runs have another priority."),
    }
    return sentences.get(what) or _("%(count)d runs were moved.")
