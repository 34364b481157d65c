"""The pictures of a request as engines elsewhere are sent them, at one common size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from imagepipe.generation import canvas
from imagepipe.generation.edits import EDITS, read_edit, read_start
from imagepipe.generation.pictures import read_picture
from imagepipe.generation.request import Mode, Request

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Inputs:
    """``size`` is what the engine is asked for; ``finish`` makes the result of its answer.

    ``source`` is what it starts from; in ``region`` white is repainted.
    """

    size: Size
    source: Image.Image | None = None
    region: Image.Image | None = None
    controls: tuple[Image.Image, ...] = ()
    finish: Callable[[Image.Image], Image.Image] = lambda image: image


def read_inputs(request: Request, multiple: int) -> Inputs:
    """Return the pictures; edited ones get sides that are multiples of ``multiple``.

    Raises ``InvalidRequest`` for pictures that cannot be used.
    """
    size = (request.width, request.height)
    controls = tuple(
        canvas.cover(read_picture(control.image, "The control picture"), size)
        for control in request.controls
    )
    if request.mode in EDITS:
        edit = read_edit(request)
        source, region = edit.padded(multiple)
        controls = tuple(canvas.pad_to_multiple(control, multiple) for control in controls)
        return Inputs(source.size, source, region, controls, edit.finish)
    if request.mode is Mode.IMAGE_TO_IMAGE:
        return Inputs(size, read_start(request), None, controls)
    return Inputs(size, None, None, controls)


def fit_native(inputs: Inputs, sizes: tuple[Size, ...]) -> Inputs:
    """Return inputs at the one of an engine's few sizes whose shape is nearest.

    Nothing is cut off: the border is repeated around what is smaller, and the answer is
    brought back to the size of before.
    """
    before = inputs.size
    if inputs.source is None or before in sizes:
        return inputs
    ratio = before[0] / before[1]
    size = min(sizes, key=lambda s: max(s[0] / s[1] / ratio, ratio * s[1] / s[0]))
    factor = min(size[0] / before[0], size[1] / before[1])
    inner = (
        max(1, min(size[0], round(before[0] * factor))),
        max(1, min(size[1], round(before[1] * factor))),
    )

    def enlarge(image: Image.Image) -> Image.Image:
        return canvas.place(image.resize(inner, Image.Resampling.LANCZOS), size, (0, 0))

    def finish(image: Image.Image) -> Image.Image:
        cut = image.crop((0, 0, *inner))
        return inputs.finish(cut.resize(before, Image.Resampling.LANCZOS))

    region = None
    if inputs.region is not None:
        region = Image.new("L", size, 0)
        region.paste(inputs.region.resize(inner, Image.Resampling.NEAREST))
    return Inputs(size, enlarge(inputs.source), region, (), finish)
