"""Brings the raw picture to the size of the master."""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    picture = dict(context.inputs["picture"])
    width, height = context.node.params["width"], context.node.params["height"]
    picture["postproduction"] = []
    if (picture["width"], picture["height"]) == (width, height):
        return picture
    context.report(0, _("Scaling to %(width)d×%(height)d") % context.node.params)
    image = Image.open(io.BytesIO(blobs.read(picture["sha256"])), formats=("PNG",))
    scaled = ImageOps.fit(image.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    output = io.BytesIO()
    scaled.save(output, "PNG")
    context.check()
    facts = {"step": "resize", "version": "1", "parameters": {"width": width, "height": height}}
    return picture | {
        "sha256": blobs.store(output.getvalue()),
        "width": width,
        "height": height,
        "postproduction": [facts],
    }


STEP = Step("upscale", run, weight=1, reusable=True, blobs=("sha256",))
