"""Offers a finished picture to people, or keeps it as refused with the reasons."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from imagepipe.workflow import leases
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.models import Candidate
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    picture, checks = context.inputs["picture"], context.inputs["checks"]
    state = Candidate.State.OFFERED if checks["accepted"] else Candidate.State.REFUSED
    with transaction.atomic():
        # The same transaction proves that the run is still ours, so a worker that was
        # given up cannot offer beside its successor.
        leases.renew(context.run.pk, context.lease.owner)
        candidate, _created = Candidate.objects.get_or_create(
            run=context.run,
            index=context.node.params["index"],
            defaults={
                "state": state,
                "seed": picture["seed"],
                "sha256": picture["sha256"],
                "width": picture["width"],
                "height": picture["height"],
                "byte_count": picture["bytes"],
                "perceptual_hash": checks["fingerprint"][:16],
                "recipe": picture["recipe"],
                "recipe_sha256": picture["recipe_sha256"],
                "findings": checks["findings"],
            },
        )
    return {"candidate": candidate.uid.hex, "state": str(candidate.state)}


STEP = Step(
    "offer",
    run,
    weight=0.2,
    takes=(("checks", "verdict"), ("picture", "master")),
    gives="candidate",
)
