"""Asking a worker to register a model that lies on its machine or on a hub."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.exceptions import InvalidState
from imagepipe.registry import places
from imagepipe.registry.actions import InvalidModelEntry
from imagepipe.registry.entries import Entry
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import Run
from imagepipe.workflow.steps.register_model import PERMISSION

REGISTER = "register-model"
"""The job of such a run, and the kind of its only step."""


class ImportModel(Action[Run, Run]):
    """Queue an unsaved run that registers a model; files are read by the worker only.

    Raises ``PlaceNotAllowed``, ``HubRefused``, ``InvalidModelEntry`` and ``QueueRefused``.
    """

    action_name = "imagepipe.model.import"
    permission_policy_action = "add"

    def __init__(self, run: Run, user: AbstractBaseUser | None, *, entry: Entry) -> None:
        super().__init__(run, user)
        self.entry = entry

    def user_has_permission(self) -> bool:
        return self.user is not None and self.user.has_perm(PERMISSION)

    def perform(self) -> Run:
        run, entry = self.instance, self.entry
        if run.pk is not None:
            raise InvalidState(_("The run was started already."))
        places.check_place(entry.source)
        if not (entry.licence or entry.is_on_hub):
            raise InvalidModelEntry(_("Say under which licence the model may be used."))
        graph = Graph((Node.create(REGISTER, REGISTER, asdict(entry)),))
        run.title = _("Register %(source)s") % {"source": entry.source[-200:]}
        run.graph, run.graph_sha256 = graph.to_dict(), graph.sha256
        run.request = {"job": REGISTER, "source": entry.source}
        queue_run(run, self.user)
        self.audit_data = {"source": entry.source, "graph": run.graph_sha256}
        return run
