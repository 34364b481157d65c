"""Kinds of steps for jobs that are quick to compute and go wrong in known ways."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from typing import Any

from imagepipe.generation.exceptions import BackendDown
from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import StepFailed
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.steps import registry
from imagepipe.workflow.steps.registry import Step


def make(context: StepContext) -> dict[str, Any]:
    """Compute for a while, like a model does, and keep bytes that only this job makes."""
    params = context.node.params
    for part in range(4):
        context.check()
        time.sleep(params["seconds"] / 4)
        context.report(part / 4, "making")
    content = hashlib.sha256(f"{params['job']}/{params['index']}".encode()).digest() * 1000
    return {
        "sha256": blobs.store(content), "width": 1, "height": 1, "bytes": len(content),
        "seed": params["index"], "recipe": {}, "recipe_sha256": "",
    }  # fmt: skip


def check(context: StepContext) -> dict[str, Any]:
    """Find nothing wrong, or go wrong as the job's fate says."""
    fate, attempt = context.node.params["fate"], context.step.attempt
    if fate == "flaky" and attempt == 1:
        raise BackendDown("It does not answer.")
    if fate == "poison":
        raise StepFailed("This never works.")
    if fate == "killer" and attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"accepted": True, "fingerprint": "", "findings": []}


def register() -> None:
    registry.register(Step("chaos-make", make, reusable=True, blobs=("sha256",)))
    registry.register(Step("chaos-check", check))


def graph(job: int, pictures: int, seconds: float, fate: str) -> Graph:
    """Per picture: make, check, offer (the real one)."""
    nodes = []
    for index in range(pictures):
        made, checked = f"make-{index:02d}", f"check-{index:02d}"
        params = {"job": job, "index": index, "seconds": seconds}
        nodes += [
            Node.create(made, "chaos-make", params),
            Node.create(checked, "chaos-check", {"fate": fate}, {"picture": made}),
            Node.create(
                f"offer-{index:02d}", "offer", {"index": index},
                {"picture": made, "checks": checked},
            ),
        ]  # fmt: skip
    return Graph(tuple(nodes))
