"""Lays a picture on the canvas of inpainting or outpainting and cuts out what is worked on.

All of it at the size of the master: the model only sees a scaled copy of the cut-out, and
the step ``compose`` puts its work back, so that the rest of the master stays as it was.
"""

from __future__ import annotations

import io
import math
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageChops, ImageOps

from imagepipe.generation import canvas
from imagepipe.postproduction.encode import encode_master, to_srgb
from imagepipe.workflow import blobs, source_pictures
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.exceptions import StepFailed
from imagepipe.workflow.steps.registry import Step

SMALLEST_SIDE = 64
"""Pixels that a model is given at least."""
LEAST_MARGIN = 32
"""Pixels of surroundings that are cut out with a region."""


class EmptyMask(StepFailed):
    """There is nothing to be made anew."""

    code = "empty-mask"


def run(context: StepContext) -> dict[str, Any]:
    context.report(0, _("Preparing the picture to start from"))
    params = context.node.params
    picture = open_upright(params["source"])
    size, offset = tuple(params["size"]), tuple(params["offset"])
    if not canvas.fits(picture.size, size, offset):
        raise StepFailed(_("The picture to start from has another size than expected."))
    mask = full_mask(picture.size, size, offset, params["mask"])
    box = cut_out(mask, params["feather"], surroundings=params["surroundings"])
    whole = canvas.continued(picture, size, offset)
    area = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    region = canvas.feather(mask.crop(area), params["feather"])
    work = work_size(box[2:], params["area"])
    start = flat(whole.crop(area)).resize(work, Image.Resampling.LANCZOS)
    context.check()
    return {
        "sha256": blobs.store(encode_master(whole).data),
        "region": blobs.store(_png(region)),
        "init": blobs.store(_png(start)),
        "mask": blobs.store(_png(canvas.touched(region.resize(work, Image.Resampling.BOX)))),
        "box": list(box),
        "work": list(work),
        "width": size[0],
        "height": size[1],
    }


def open_upright(sha256: str) -> Image.Image:
    """Return the picture as it is shown, in sRGB; transparent parts stay so."""
    image = Image.open(io.BytesIO(source_pictures.read(sha256)))
    return to_srgb(ImageOps.exif_transpose(image) or image)


def flat(image: Image.Image) -> Image.Image:
    """Return the picture without transparency: what a model can look at."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    paper.alpha_composite(image)
    return paper.convert("RGB")


def full_mask(
    picture: tuple[int, int], size: tuple[int, int], offset: tuple[int, int], drawn: str
) -> Image.Image:
    """Return the mask of the canvas, black and white: new room, and what was drawn."""
    mask = canvas.new_room(picture, size, offset)
    if drawn:
        image = Image.open(io.BytesIO(blobs.read(drawn)), formats=("PNG",)).convert("L")
        own = image.resize(picture, Image.Resampling.BILINEAR)
        placed = Image.new("L", size, 0)
        placed.paste(own.point([0] * 128 + [255] * 128), offset)
        mask = ImageChops.lighter(mask, placed)
    if mask.getbbox() is None:
        raise EmptyMask(_("The marked region is too small. Mark a larger one."))
    return mask


def cut_out(
    mask: Image.Image, feather: int, *, surroundings: bool
) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what the model works on.

    The whole canvas, or the region with as much again around it.
    """
    if not surroundings:
        return 0, 0, mask.width, mask.height
    left, top, right, bottom = mask.getbbox() or (0, 0, *mask.size)
    across = max(LEAST_MARGIN, feather, (right - left) // 2)
    down = max(LEAST_MARGIN, feather, (bottom - top) // 2)
    left, top = max(0, left - across), max(0, top - down)
    right, bottom = min(mask.width, right + across), min(mask.height, bottom + down)
    return left, top, right - left, bottom - top


def work_size(box: tuple[int, int], area: int) -> tuple[int, int]:
    """Return the size with these proportions and about that many pixels."""
    factor = max(math.sqrt(area / (box[0] * box[1])), SMALLEST_SIDE / min(box))
    return max(1, round(box[0] * factor)), max(1, round(box[1] * factor))


def _png(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


STEP = Step(
    "canvas",
    run,
    weight=0.5,
    reusable=True,
    blobs=("sha256", "region", "init", "mask"),
    takes=(),
    gives="canvas",
)
