"""Starting a matrix: one run per combination of values, all or none."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.exceptions import InvalidState
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.matrix import MAX_CELLS
from imagepipe.workflow.models import Run

TITLE = 255


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination: what it is called, and what is asked for."""

    label: str
    brief: Brief


class StartMatrix(Action[Run, list[Run]]):
    """Queue one run per cell. The instance is an unsaved run: what all of them share.

    Its ``uid`` names the matrix; a second call with the same uid returns the same runs. Raises
    ``PromptError``, ``InvalidBrief`` and ``QueueRefused``; nothing is queued then.
    """

    action_name = "imagepipe.matrix.start"
    permission_policy_action = "generate"

    def __init__(
        self, run: Run, user: AbstractBaseUser | None, *, cells: Sequence[Cell]
    ) -> None:
        super().__init__(run, user)
        self.cells = cells

    def perform(self) -> list[Run]:
        common = self.instance
        if common.pk is not None or not 1 <= len(self.cells) <= MAX_CELLS:
            raise InvalidState(_("A matrix has 1 to %(limit)d cells.") % {"limit": MAX_CELLS})
        started = [
            StartRun(
                Run(
                    title=f"{common.title}: {cell.label}"[:TITLE],
                    template=common.template,
                    model=common.model,
                    collection=common.collection,
                    priority=common.priority,
                    site=common.site,
                    idempotency_key=f"{common.uid.hex}-{number:02d}",
                ),
                self.user,
                brief=cell.brief,
            ).execute(skip_permission_checks=True)
            for number, cell in enumerate(self.cells)
        ]
        self.audit_data = {"runs": [run.uid.hex for run in started]}
        return started


def runs_of(uid: uuid.UUID) -> models.QuerySet[Run]:
    """The runs of a matrix, in the order of its cells."""
    runs = Run.objects.filter(idempotency_key__startswith=f"{uid.hex}-")
    return runs.order_by("idempotency_key")
