"""Puts what a model has painted back into the picture, inside the feathered region only.

Every pixel outside that region is the source's own, at the size of the master.
"""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image

from imagepipe.postproduction.encode import encode_master
from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import StepFailed
from imagepipe.workflow.steps.registry import Step


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Putting the picture together"))
    picture, canvas = dict(context.inputs["picture"]), context.inputs["canvas"]
    whole, painted = _open(canvas["sha256"]), _open(picture["sha256"])
    region = _open(canvas["region"]).convert("L")
    left, top, width, height = canvas["box"]
    if painted.size != (width, height):
        raise StepFailed(_("What the model has painted does not fit its place."))
    kept = whole.crop((left, top, left + width, top + height))
    mended = Image.composite(painted.convert(whole.mode), kept, region)
    whole.paste(mended, (left, top))
    context.check()
    master = encode_master(whole)
    facts = {
        "step": "compose",
        "version": "1",
        "parameters": {
            "left": left,
            "region": canvas["region"],
            "source": canvas["sha256"],
            "top": top,
        },
    }
    return picture | {
        "sha256": blobs.store(master.data),
        "width": master.width,
        "height": master.height,
        "postproduction": [*picture["postproduction"], facts],
    }


def _open(sha256: str) -> Image.Image:
    image = Image.open(io.BytesIO(blobs.read(sha256)), formats=("PNG",))
    image.load()
    return image


STEP = Step(
    "compose",
    run,
    weight=0.5,
    reusable=True,
    blobs=("sha256",),
    takes=(("canvas", "canvas"), ("picture", "picture")),
    gives="picture",
)
