"""Brings the raw picture to the size of the master and encodes it as tagged sRGB PNG."""

from __future__ import annotations

import io
import math
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from imagepipe.postproduction.encode import encode_master
from imagepipe.postproduction.protocol import Parameters, run_steps
from imagepipe.postproduction.protocol import Step as PixelStep
from imagepipe.postproduction.upscale import MAX_FACTOR, LanczosUpscale
from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.steps.registry import Step


class Fit:
    """Scales to cover ``width``×``height`` pixels and cuts off evenly what is left over."""

    slug = "fit"
    version = "1"

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)

    @property
    def parameters(self) -> Parameters:
        return (("height", self._size[1]), ("width", self._size[0]))

    def apply(self, image: Image.Image) -> Image.Image:
        return ImageOps.fit(image, self._size, Image.Resampling.LANCZOS)


class Stretch:
    """Scales to exactly ``width``×``height`` pixels, so that every part keeps its place."""

    slug = "stretch"
    version = "1"

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)

    @property
    def parameters(self) -> Parameters:
        return (("height", self._size[1]), ("width", self._size[0]))

    def apply(self, image: Image.Image) -> Image.Image:
        return image.resize(self._size, Image.Resampling.LANCZOS)


def run(context: StepContext) -> dict[str, Any]:
    picture, params = dict(context.inputs["picture"]), context.node.params
    width, height = params["width"], params["height"]
    canvas = context.inputs.get("canvas")
    if canvas is not None:
        width, height = canvas["box"][2:]
    size = {"width": width, "height": height}
    context.report(0, _("Scaling to %(width)d×%(height)d") % size)
    image = Image.open(io.BytesIO(blobs.read(picture["sha256"])), formats=("PNG",))
    keep = canvas is not None or params.get("keep_place", False)
    scaled, facts = run_steps(image, plan_steps(image.size, (width, height), keep_place=keep))
    context.check()
    master = encode_master(scaled)
    context.check()
    return picture | {
        "sha256": blobs.store(master.data),
        "width": master.width,
        "height": master.height,
        "postproduction": [
            {"step": f.step, "version": f.version, "parameters": dict(f.parameters)}
            for f in facts
        ],
    }


def plan_steps(
    source: tuple[int, int], target: tuple[int, int], *, keep_place: bool = False
) -> list[PixelStep]:
    """Return the steps from one size to another: enlarge by a whole factor, then fit.

    ``keep_place``: stretch instead of cutting off, where the shapes differ by a pixel.
    """
    steps: list[PixelStep] = []
    factor = math.ceil(max(target[0] / source[0], target[1] / source[1]))
    factor = min(MAX_FACTOR, max(1, factor))
    if factor > 1:
        steps.append(LanczosUpscale(factor))
    if (source[0] * factor, source[1] * factor) != target:
        steps.append(Stretch(*target) if keep_place else Fit(*target))
    return steps


STEP = Step(
    "upscale",
    run,
    weight=1,
    reusable=True,
    blobs=("sha256",),
    takes=(("picture", "picture"),),
    may_take=(("canvas", "canvas"),),
    gives="picture",
)
