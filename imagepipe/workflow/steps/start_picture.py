"""Brings the picture that image-to-image starts from to the size of the model."""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.canvas import flat, open_upright
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Preparing the picture to start from"))
    params = context.node.params
    picture = flat(open_upright(params["source"]))
    # First the shape of the result, cut evenly; then the model's size, which may differ a bit.
    shaped = ImageOps.fit(picture, tuple(params["size"]), Image.Resampling.LANCZOS)
    output = io.BytesIO()
    shaped.resize(tuple(params["work"]), Image.Resampling.LANCZOS).save(output, "PNG")
    return {"init": blobs.store(output.getvalue()), "work": params["work"]}


STEP = Step(
    "start-picture",
    run,
    weight=0.3,
    reusable=True,
    blobs=("init",),
    takes=(),
    gives="start",
)
