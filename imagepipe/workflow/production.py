"""The standard graph: prompt policy, then per candidate make, scale, mark, check, offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagepipe.workflow.graph import Graph, Node

MAX_CANDIDATES = 16


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
    def name(kind: str) -> str:
        return f"{kind}-{index:02d}"

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
    return [
        Node.create(name("generate"), "generate", request, {"policy": "prompt-policy"}),
        Node.create(name("upscale"), "upscale", master, {"picture": name("generate")}),
        Node.create(name("finish"), "finish", facts, {"picture": name("upscale")}),
        Node.create(name("checks"), "checks", {"index": index, "prompt": plan.prompt}, picture),
        Node.create(
            name("offer"), "offer", {"index": index}, picture | {"checks": name("checks")}
        ),
    ]
