"""Inpainting and outpainting around an engine: what it works on, and the final picture.

Every pixel outside the feathered mask is the source's own: whatever an engine does to the
rest of the picture is thrown away here, so this holds for all engines alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops

from imagepipe.generation import canvas
from imagepipe.generation.exceptions import InvalidRequest
from imagepipe.generation.pictures import read_mask, read_picture
from imagepipe.generation.request import Mode, Request

EDITS = frozenset({Mode.INPAINT, Mode.OUTPAINT})


@dataclass(frozen=True, slots=True)
class Edit:
    """Three pictures of the result's size.

    ``source`` is the picture on its canvas, ``region`` is white wherever the engine has to
    paint (edge included), ``mask`` has the soft edge that :meth:`finish` uses.
    """

    source: Image.Image
    region: Image.Image
    mask: Image.Image

    def padded(self, multiple: int) -> tuple[Image.Image, Image.Image]:
        """Return source and region with sides that are multiples, larger to right and below.

        The region grows to whole cells of ``multiple`` pixels, which is what latents see.
        """
        region = canvas.pad_to_multiple(self.region, multiple)
        return canvas.pad_to_multiple(self.source, multiple), canvas.to_cells(region, multiple)

    def finish(self, painted: Image.Image) -> Image.Image:
        """Return the source with the engine's pixels inside the feathered mask.

        ``painted`` may be padded.
        """
        area = painted.convert("RGB").crop((0, 0, *self.source.size))
        return canvas.composite(self.source, area, self.mask)


def read_start(request: Request) -> Image.Image:
    """Return the picture of image-to-image, filling the result's size."""
    picture = read_picture(request.init_image or b"", "The picture to start from")
    return canvas.cover(picture, (request.width, request.height))


def read_edit(request: Request) -> Edit:
    """Return what an inpainting or outpainting request asks for.

    Raises :class:`InvalidRequest` for pictures that cannot be read or do not fit the size.
    """
    picture = read_picture(request.init_image or b"", "The picture to start from")
    size = (request.width, request.height)
    if request.mode is Mode.INPAINT:
        if picture.size != size:
            raise InvalidRequest(
                f"Inpainting keeps the size of the picture: {picture.width}×{picture.height}, "
                f"not {size[0]}×{size[1]}."
            )
        source, mask = picture, read_mask(request.mask or b"", size)
        empty = "The mask is empty. Paint over what shall be made anew."
    else:
        source, mask = _extend(request, picture, size)
        empty = "The new canvas is not larger than the picture."
    if mask.getextrema()[1] == 0:
        raise InvalidRequest(empty)
    soft = canvas.feather(mask, request.feather)
    return Edit(source, canvas.touched(soft), soft)


def _extend(
    request: Request, picture: Image.Image, size: tuple[int, int]
) -> tuple[Image.Image, Image.Image]:
    offset = request.offset or canvas.centred(picture.size, size)
    if not canvas.fits(picture.size, size, offset):
        raise InvalidRequest(
            f"The picture ({picture.width}×{picture.height}) does not lie within the new "
            f"canvas ({size[0]}×{size[1]}). Choose a larger canvas or another place."
        )
    mask = canvas.new_room(picture.size, size, offset)
    if request.mask is not None:
        mask = ImageChops.lighter(mask, read_mask(request.mask, size))
    return canvas.continued(picture, size, offset), mask
