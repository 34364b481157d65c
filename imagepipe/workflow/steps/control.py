"""Makes a control picture ready: as it was given, or the edges found in a picture."""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.generation.detectors import detector
from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.canvas import flat, open_upright
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Preparing the control picture"))
    params = context.node.params
    picture = flat(open_upright(params["source"]))
    side = max(params["side"], 64)
    if max(picture.size) > side:
        picture.thumbnail((side, side))
    if params["computed"]:
        picture = detector(params["kind"])(picture)
    output = io.BytesIO()
    picture.save(output, "PNG")
    return {"sha256": blobs.store(output.getvalue())}


STEP = Step(
    "control",
    run,
    weight=0.3,
    reusable=True,
    blobs=("sha256",),
    takes=(),
    gives="control",
)
