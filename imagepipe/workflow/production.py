"""The built-in graphs that make pictures.

*generate*: prompt policy, then per candidate make, scale, mark, check, offer. *refine*: the
same, from a picture: image-to-image, or a region of it made anew and put back. *outpaint set*:
one picture extended to several shapes, one candidate per shape.
"""

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
    mode: str = "text-to-image"
    strength: float = 1.0
    source: str = ""
    """Hash of the picture to start from."""
    source_type: str = ""
    """Digital source type of what comes out; empty: wholly generated."""
    canvases: Sequence[Mapping[str, Any]] = ()
    """Parameters of the step ``canvas``: one for all candidates, or one for each."""
    controls: Sequence[Mapping[str, Any]] = ()
    adapters: Sequence[Mapping[str, Any]] = ()
    references: Sequence[Mapping[str, Any]] = ()
    """Styles that are followed as pictures."""
    notes: Sequence[str] = ()
    """Sentences for the recipe about what was done otherwise than asked."""

    @property
    def graph(self) -> str:
        """Name of the built-in graph."""
        return {"text-to-image": "generate", "outpaint": "outpaint-set"}.get(
            self.mode, "refine"
        )


def build(plan: Plan) -> Graph:
    """Return the graph of a generation run."""
    nodes = [
        Node.create(
            "prompt-policy", "prompt-policy", {"prompt": plan.prompt, "negative": plan.negative}
        )
    ]
    nodes.extend(_pictures(plan))
    for index, seed in enumerate(plan.seeds):
        nodes.extend(_candidate(plan, index, seed))
    return Graph(tuple(nodes))


def _pictures(plan: Plan) -> list[Node]:
    """The steps that prepare what goes in; candidates share them where they can."""
    nodes = [
        Node.create(_canvas(plan, number), "canvas", canvas)
        for number, canvas in enumerate(plan.canvases)
    ]
    if plan.source and not plan.canvases:
        size, work = (plan.width, plan.height), (plan.native_width, plan.native_height)
        start = {"source": plan.source, "size": list(size), "work": list(work)}
        nodes.append(Node.create("start", "start-picture", start))
    side = max(plan.native_width, plan.native_height)
    for number, control in enumerate(plan.controls):
        picture = {name: control[name] for name in ("kind", "source", "computed")}
        nodes.append(Node.create(f"control-{number}", "control", picture | {"side": side}))
    for number, reference in enumerate(plan.references):
        picture = {name: reference[name] for name in ("source", "style")}
        nodes.append(Node.create(f"reference-{number}", "reference", picture))
    return nodes


def _canvas(plan: Plan, index: int) -> str:
    return f"canvas-{index:02d}" if len(plan.canvases) > 1 else "canvas"


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
    request |= _changes(plan)
    master: dict[str, Any] = {"width": plan.width, "height": plan.height}
    facts = {"title": plan.title, "template": dict(plan.template) if plan.template else None}
    if plan.source:
        facts |= {"source": plan.source, "source_type": plan.source_type}
    picture = {"picture": name("finish")}
    needs, gate = {"policy": "prompt-policy"}, None
    needs |= {f"control-{n}": f"control-{n}" for n in range(len(plan.controls))}
    needs |= {f"reference-{n}": f"reference-{n}" for n in range(len(plan.references))}
    canvas = {"canvas": _canvas(plan, index)} if plan.canvases else {}
    if plan.source and not canvas:
        needs |= {"start": "start"}
        master |= {"keep_place": True}
    needs |= canvas
    if previous is not None:
        needs |= {"refused": previous}
        gate = {"input": "refused", "key": "accepted", "equals": False}
    made = {"picture": name("generate")} | canvas
    nodes = [
        Node.create(name("generate"), "generate", request, needs, gate),
        Node.create(name("upscale"), "upscale", master, made),
    ]
    whole = "upscale"
    if canvas:
        painted = {"picture": name("upscale")} | canvas
        nodes.append(Node.create(name("compose"), "compose", {}, painted))
        whole = "compose"
    return [
        *nodes,
        Node.create(name("finish"), "finish", facts, {"picture": name(whole)}),
        Node.create(name("checks"), "checks", {"index": index, "prompt": plan.prompt}, picture),
    ]


def _changes(plan: Plan) -> dict[str, Any]:
    """Parameters beyond plain text-to-image; absent ones keep older hashes valid."""
    changes: dict[str, Any] = {}
    if plan.source:
        changes |= {"mode": str(plan.mode), "strength": plan.strength}
    if plan.controls:
        names = ("kind", "model", "weight", "start", "end")
        changes["controls"] = [{n: control[n] for n in names} for control in plan.controls]
    if plan.adapters:
        changes["adapters"] = [dict(adapter) for adapter in plan.adapters]
    if plan.references:
        changes["references"] = [
            {"model": one["model"], "weight": one["weight"]} for one in plan.references
        ]
    if plan.notes:
        changes["notes"] = list(plan.notes)
    return changes


def derive_seed(seed: int, attempt: int) -> int:
    """Return the seed of a further attempt; the first keeps the one that was asked for."""
    if not attempt:
        return seed
    digest = hashlib.sha256(f"{seed}/attempt/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _name(kind: str, index: int, attempt: int) -> str:
    return f"{kind}-again{attempt}-{index:02d}" if attempt else f"{kind}-{index:02d}"
