"""The standard graph: prompt policy, then per candidate make, scale, mark, check, offer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagepipe.workflow.graph import Graph, Node

MAX_CANDIDATES = 16
MAX_ATTEMPTS = 5
"""Of one picture; the inputs of the step that picks one are bounded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what a run makes; one candidate per seed.

    ``width`` and ``height`` are those of the finished master, ``native_*`` what the model
    is asked for; all in pixels. ``model`` holds slug, location, family, sha256 and backend.
    """

    title: str
    prompt: str
    negative: str
    model: Mapping[str, str]
    seeds: Sequence[int]
    width: int
    height: int
    native_width: int
    native_height: int
    steps: int
    guidance: float
    guidance_rescale: float = 0.0
    scheduler: str | None = None
    template: Mapping[str, Any] | None = None
    """Slug, version and variables, for the recipe."""
    attempts: int = 1
    """A picture that the checks refuse is made anew with another seed, up to so many times."""


def build(plan: Plan) -> Graph:
    """Return the graph of a generation run."""
    nodes = [
        Node.create(
            "prompt-policy", "prompt-policy", {"prompt": plan.prompt, "negative": plan.negative}
        )
    ]
    for index, seed in enumerate(plan.seeds):
        nodes.extend(_candidate(plan, index, seed))
    return Graph(tuple(nodes))


def _candidate(plan: Plan, index: int, seed: int) -> list[Node]:
    """The nodes of one candidate; of further attempts each waits for the one before to fail."""
    nodes, attempts = [], max(1, min(MAX_ATTEMPTS, plan.attempts))
    for attempt in range(attempts):
        previous = _name("checks", index, attempt - 1) if attempt else None
        nodes += _attempt(plan, index, attempt, derive_seed(seed, attempt), previous)
    picture, checks = _name("finish", index, 0), _name("checks", index, 0)
    if attempts > 1:
        tried = {
            f"{kind}-{attempt}": _name(made, index, attempt)
            for kind, made in (("picture", "finish"), ("checks", "checks"))
            for attempt in range(attempts)
        }
        picture, checks = f"pick-picture-{index:02d}", f"pick-checks-{index:02d}"
        nodes += [
            Node.create(picture, "pick", {"what": "picture"}, tried),
            Node.create(checks, "pick", {"what": "checks"}, tried),
        ]
    offered = {"picture": picture, "checks": checks}
    return [*nodes, Node.create(_name("offer", index, 0), "offer", {"index": index}, offered)]


def _attempt(
    plan: Plan, index: int, attempt: int, seed: int, previous: str | None
) -> list[Node]:
    def name(kind: str) -> str:
        return _name(kind, index, attempt)

    request = {
        "prompt": plan.prompt,
        "negative": plan.negative,
        "model": dict(plan.model),
        "seed": seed,
        "width": plan.native_width,
        "height": plan.native_height,
        "steps": plan.steps,
        "guidance": plan.guidance,
        "guidance_rescale": plan.guidance_rescale,
        "scheduler": plan.scheduler,
    }
    master = {"width": plan.width, "height": plan.height}
    facts = {"title": plan.title, "template": dict(plan.template) if plan.template else None}
    picture = {"picture": name("finish")}
    needs, gate = {"policy": "prompt-policy"}, None
    if previous is not None:
        needs |= {"refused": previous}
        gate = {"input": "refused", "key": "accepted", "equals": False}
    return [
        Node.create(name("generate"), "generate", request, needs, gate),
        Node.create(name("upscale"), "upscale", master, {"picture": name("generate")}),
        Node.create(name("finish"), "finish", facts, {"picture": name("upscale")}),
        Node.create(name("checks"), "checks", {"index": index, "prompt": plan.prompt}, picture),
    ]


def derive_seed(seed: int, attempt: int) -> int:
    """Return the seed of a further attempt; the first keeps the one that was asked for."""
    if not attempt:
        return seed
    digest = hashlib.sha256(f"{seed}/attempt/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _name(kind: str, index: int, attempt: int) -> str:
    return f"{kind}-again{attempt}-{index:02d}" if attempt else f"{kind}-{index:02d}"
