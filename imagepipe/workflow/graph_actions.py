"""Starting a run of a graph that somebody has written down as JSON."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.exceptions import InvalidState
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.briefs import usable_model
from imagepipe.workflow.enqueue import queue_run
from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.expansion import expand
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import Run
from imagepipe.workflow.steps.registry import check_types

FACTS = ("slug", "location", "family", "sha256", "backend")
DEFAULTS: dict[str, dict[str, Any]] = {
    "prompt-policy": {"negative": ""},
    "generate": {"negative": "", "seed": 0, "steps": 25, "guidance": 4.0,
                 "guidance_rescale": 0.0, "scheduler": None},
    "finish": {"template": None},
    "checks": {"prompt": ""},
}  # fmt: skip
"""What a definition may leave out; of models their own defaults go before."""


class StartGraph(Action[Run, Run]):
    """Queue an unsaved run of a definition: ``title`` and ``collection`` are set.

    For those who administer the site: which prompt the policy sees and which picture the
    checks see is what the definition says, and so are the companions of a model. Checkpoints
    are taken from the registry, by ``slug``.
    Raises ``InvalidGraph``, ``InvalidBrief`` for a model that is not allowed, and
    ``QueueRefused``.
    """

    action_name = "imagepipe.run.start_graph"
    permission_policy_action = "superuser"

    def __init__(self, run: Run, user: AbstractBaseUser | None, *, definition: Any) -> None:
        super().__init__(run, user)
        self.definition = definition

    def user_has_permission(self) -> bool:
        return bool(self.user is not None and getattr(self.user, "is_superuser", False))

    def perform(self) -> Run:
        run = self.instance
        if run.pk is not None:
            raise InvalidState(_("The run was started already."))
        run.title = run.title.strip()[:255] or _("Untitled")
        graph = read(self.definition, title=run.title)
        models = {node.params["model"]["slug"] for node in graph.nodes if _names_model(node)}
        run.graph, run.graph_sha256 = graph.to_dict(), graph.sha256
        run.model = RegisteredModel.objects.filter(slug=min(models, default="")).first()
        offers = sum(node.kind == "offer" for node in graph.nodes)
        run.request = {"prompt_used": _prompt(graph), "seeds": [None] * offers}
        queue_run(run, self.user)
        self.audit_data = {"graph": run.graph_sha256, "models": sorted(models)}
        return run


def read(definition: Any, title: str = "") -> Graph:
    """Return the checked graph of a definition, with what it left out filled in.

    Raises what :class:`StartGraph` raises, but ``QueueRefused``.
    """
    graph = expand(definition)
    places = _places(graph)
    models: dict[str, RegisteredModel] = {}
    nodes = []
    for node in graph.nodes:
        given = node.params
        params = dict(DEFAULTS.get(node.kind, {}))
        if node.kind == "finish":
            params["title"] = title
        if _names_model(node):
            model = _model(node, models)
            own = model.defaults if isinstance(model.defaults, dict) else {}
            side = {"width": model.native_width, "height": model.native_height}
            params |= side | {name: own[name] for name in params if name in own}
            given["model"] = {name: getattr(model, name) for name in FACTS}
        if node.id in places:
            params |= {"index": places[node.id]}
        body = node.to_dict() | {"params": params | given}
        nodes.append(Node.create(node.id, **body))
    whole = Graph(tuple(nodes))
    check_types(whole)
    _check_places(whole)
    return whole


def _model(node: Node, models: dict[str, RegisteredModel]) -> RegisteredModel:
    named = node.params["model"]
    slug = named.get("slug") if isinstance(named, dict) else named
    if not isinstance(slug, str):
        raise InvalidGraph(f"“model” of “{node.id}” is the short name of a model.")
    if slug not in models:
        models[slug] = usable_model(RegisteredModel.objects.filter(slug=slug).first())
    return models[slug]


def _places(graph: Graph) -> dict[str, int]:
    """The numbers of the candidates: of each “offer”, in order, and of its checks."""
    places = {}
    for number, node in enumerate(node for node in graph.order if node.kind == "offer"):
        places[node.id] = number
        for name, reference in node.inputs:
            if name == "checks":
                places[reference] = number
    return places


def _check_places(graph: Graph) -> None:
    """Two candidates in one place would be one."""
    places = [node.params["index"] for node in graph.nodes if node.kind == "offer"]
    whole = all(isinstance(place, int) and not isinstance(place, bool) for place in places)
    if not whole or sorted(places) != list(range(len(places))):
        raise InvalidGraph("The “index” of each “offer” is its number, from 0 on.")


def _names_model(node: Node) -> bool:
    return node.kind == "generate" and "model" in node.params


def _prompt(graph: Graph) -> str:
    prompts = (node.params.get("prompt") for node in graph.order)
    return next((prompt for prompt in prompts if isinstance(prompt, str)), "")
