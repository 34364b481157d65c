"""A request's pictures, read and sized before any model is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from imagepipe.generation import canvas
from imagepipe.generation.edits import EDITS, Edit, read_edit, read_start
from imagepipe.generation.exceptions import InvalidRequest
from imagepipe.generation.pictures import read_picture
from imagepipe.generation.request import Mode, Request


@dataclass(frozen=True, slots=True)
class Prepared:
    """What goes into an engine: sizes in pixels of its working canvas, pictures of that size.

    ``region`` is white where the engine paints; ``edit`` makes the final picture.
    """

    width: int
    height: int
    start: Image.Image | None = None
    region: Image.Image | None = None
    edit: Edit | None = None
    controls: tuple[Image.Image, ...] = ()
    references: tuple[Image.Image, ...] = ()


def prepare(request: Request, multiple: int = 1) -> Prepared:
    """Return the request's pictures; sides of edits are padded to the multiple.

    Raises :class:`InvalidRequest` for pictures that cannot be used.
    """
    start = region = edit = None
    if request.mode in EDITS:
        edit = read_edit(request)
        start, region = edit.padded(multiple)
    elif request.mode is Mode.IMAGE_TO_IMAGE:
        start = read_start(request)
    if start is not None and int(request.steps * request.strength) < 1:
        raise InvalidRequest(
            f"A strength of {request.strength:g} leaves none of {request.steps} steps. "
            "Choose more of either."
        )
    width, height = start.size if start else (request.width, request.height)
    asked = (request.width, request.height)
    return Prepared(
        width,
        height,
        start,
        region,
        edit,
        controls=tuple(
            canvas.pad_to_multiple(
                canvas.cover(read_picture(control.image, "The control picture"), asked),
                multiple,
            )
            for control in request.controls
        ),
        references=tuple(
            read_picture(reference.image, "The reference picture")
            for reference in request.references
        ),
    )
