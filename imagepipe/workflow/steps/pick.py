"""Picks, of several attempts at one picture, the first that the checks accept, or the last."""

from __future__ import annotations

from typing import Any

from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    made = sorted(
        int(name.rpartition("-")[2])
        for name, output in context.inputs.items()
        if name.startswith("checks-") and "accepted" in output
    )
    accepted = [number for number in made if context.inputs[f"checks-{number}"]["accepted"]]
    chosen = accepted[0] if accepted else made[-1]
    return dict(context.inputs[f"{context.node.params['what']}-{chosen}"])


STEP = Step("pick", run, weight=0.1, joins=True)
