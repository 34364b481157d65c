"""Asking for a replay: a run that makes a version's picture again and compares."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import AssetVersion
from imagepipe.exceptions import InvalidState
from imagepipe.generation.recipe import Recipe
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import FINISHED, Run
from imagepipe.workflow.replay_sources import registered_model
from imagepipe.workflow.steps.registry import check_types

NODE = "generate-00"
"""The one node of the graph, named as forecasts look for what decides the duration."""


class ReplayVersion(Action[AssetVersion, Run]):
    """Queue the replay of a version's recipe; the version itself stays as it is.

    ``as_installed``: compute with today's threads and precision instead of the recorded
    ones. ``other_weights``: even if the model's files have changed. ``keep``: keep the new
    picture as evidence when it differs. Somebody's replay that is still open is returned
    again. Raises ``InvalidRecipe``, ``InvalidState`` and ``QueueRefused``.
    """

    action_name = "imagepipe.replay"
    permission_policy_action = "generate"

    def __init__(
        self,
        version: AssetVersion,
        user: AbstractBaseUser | None,
        *,
        as_installed: bool = False,
        other_weights: bool = False,
        keep: bool = True,
    ) -> None:
        super().__init__(version, user)
        self.options = {
            "as_installed": as_installed,
            "other_weights": other_weights,
            "keep": keep,
        }

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> Run:
        version = self.instance
        if version.recipe is None:
            raise InvalidState(_("This version has no recipe: it was not generated here."))
        self.audit_data = {"version": version.number}
        recipe = Recipe.from_dict(version.recipe)
        graph = self._graph(recipe)
        mine = Run.objects.filter(replay_of=version, created_by=self.user)
        if self.user and (open_one := _open(mine, graph)):
            self.audit_data |= {"run": open_one.uid.hex}
            return open_one
        run = Run(
            title=_("Replay of %(picture)s, version %(number)d")
            % {"picture": version.asset.title[:200], "number": version.number},
            graph=graph.to_dict(),
            graph_sha256=graph.sha256,
            request={"prompt_used": str(version.recipe.get("prompt", "")), "seeds": []},
            collection=version.asset.collection,
            model=registered_model(recipe),
            replay_of=version,
        )
        queue_run(run, self.user)
        self.audit_data |= {"run": run.uid.hex}
        return run

    def _graph(self, recipe: Recipe) -> Graph:
        params = self.options | {
            "asset": self.instance.asset.uid.hex,
            "version": self.instance.number,
            "steps": recipe.steps,
            "width": recipe.width,
            "height": recipe.height,
        }
        graph = Graph((Node.create(NODE, "replay", params),))
        check_types(graph)
        return graph


def _open(runs: models.QuerySet[Run], graph: Graph) -> Run | None:
    return runs.filter(graph_sha256=graph.sha256).exclude(state__in=FINISHED).first()
