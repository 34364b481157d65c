"""Which kinds of steps exist. Built-ins and third parties use the same door."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import InvalidGraph

BUILT_IN = ("prompt_policy", "generate", "upscale", "finish", "checks", "offer")


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


_steps: dict[str, Step] = {}


def register(step: Step) -> Step:
    """Make a kind of step known; a later registration replaces an earlier one."""
    _steps[step.kind] = step
    return step


def get(kind: str) -> Step:
    """Return the step. Raises :class:`InvalidGraph` when there is none of that kind."""
    if kind not in _steps:
        for module in BUILT_IN:
            built_in = importlib.import_module(f"imagepipe.workflow.steps.{module}").STEP
            _steps.setdefault(built_in.kind, built_in)
    if kind not in _steps:
        known = ", ".join(sorted(_steps))
        raise InvalidGraph(f"There is no step of the kind “{kind}”. Known are: {known}.")
    return _steps[kind]
