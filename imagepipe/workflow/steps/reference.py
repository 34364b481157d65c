"""Makes the picture of a style ready to be followed, if its rights still hold."""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.canvas import flat, open_upright
from imagepipe.workflow.steps.registry import Step
from imagepipe.workflow.styles import find_style

SIDE = 512
"""Pixels; encoders of references look at less."""


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Preparing the style"))
    params = context.node.params
    find_style(params["style"])
    picture = flat(open_upright(params["source"]))
    picture.thumbnail((SIDE, SIDE))
    output = io.BytesIO()
    picture.save(output, "PNG")
    return {"sha256": blobs.store(output.getvalue())}


STEP = Step("reference", run, weight=0.3, blobs=("sha256",), takes=(), gives="reference")
