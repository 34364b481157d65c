"""Which kinds of steps exist. Built-ins and third parties use the same door."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.graph import Graph

BUILT_IN = (
    "prompt_policy", "canvas", "start_picture", "control", "reference", "generate", "upscale",
    "compose", "finish", "checks", "pick", "offer", "replay", "republish",
    "register_model",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A kind of step.

    ``run`` returns plain JSON values. It may be called again after a crash and must then lead
    to the same result. ``weight`` is its usual duration relative to other steps. The output of
    a ``reusable`` step depends on parameters and inputs alone, so that another run with equal
    ones takes it over; ``blobs`` are the keys of its output that name stored bytes.
    """

    kind: str
    run: Callable[[StepContext], dict[str, Any]]
    weight: float = 1.0
    reusable: bool = False
    blobs: tuple[str, ...] = ()
    version: str = "1"
    """Of the code; a new one makes outputs of the old one unusable for other runs."""
    joins: bool = False
    """Runs with whatever of its inputs was not skipped; others need all of them."""
    takes: tuple[tuple[str, str], ...] | None = None
    """Names of the inputs and what each must be; None: not declared, so not checked."""
    may_take: tuple[tuple[str, str], ...] = ()
    """Inputs that may be missing; a name that ends with a hyphen stands for numbered ones."""
    gives: str = ""
    """What the output is, such as ``picture``; empty: not declared."""


_steps: dict[str, Step] = {}


def register(step: Step) -> Step:
    """Make a kind of step known; a later registration replaces an earlier one."""
    _steps[step.kind] = step
    return step


def get(kind: str) -> Step:
    """Return the step. Raises :class:`InvalidGraph` when there is none of that kind."""
    if kind not in _steps:
        every()
    if kind not in _steps:
        known = ", ".join(sorted(_steps))
        raise InvalidGraph(f"There is no step of the kind “{kind}”. Known are: {known}.")
    return _steps[kind]


def every() -> tuple[Step, ...]:
    """All known steps, the built-in ones first."""
    for module in BUILT_IN:
        built_in = importlib.import_module(f"imagepipe.workflow.steps.{module}").STEP
        _steps.setdefault(built_in.kind, built_in)
    return tuple(_steps.values())


def check_types(graph: Graph) -> None:
    """Raise :class:`InvalidGraph` for unknown kinds and outputs that do not fit inputs."""
    kinds = {node.id: get(node.kind) for node in graph.order}
    for node in graph.order:
        kind = kinds[node.id]
        if kind.takes is None:
            continue
        taken, given = dict(kind.takes), dict(node.inputs)
        wanted = {name: taken.get(name) or _optional(kind, name) for name in given}
        if node.when is not None and wanted[node.when[0]] is None:
            # The gate looks at an input that the step itself does not need.
            del wanted[node.when[0]]
        if None in wanted.values() or not set(taken) <= set(wanted):
            names = ", ".join(taken) or "none"
            raise InvalidGraph(f"The step “{node.id}” takes these inputs: {names}.")
        for name, type_ in wanted.items():
            offered = kinds[given[name]].gives
            if type_ and offered and offered != type_:
                raise InvalidGraph(
                    f"The input “{name}” of “{node.id}” must be “{type_}”, "
                    f"but “{given[name]}” gives “{offered}”."
                )


def _optional(kind: Step, name: str) -> str | None:
    """What an input that may be missing must be; None if there is none of that name."""
    stem = name.rstrip("0123456789")
    declared = dict(kind.may_take)
    return declared.get(name) or (declared.get(stem) if stem.endswith("-") else None)
