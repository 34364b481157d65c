"""Enlarge by Lanczos resampling and sharpen mildly: no new detail, no invention."""

from __future__ import annotations

from PIL import Image, ImageFilter

from imagepipe.postproduction.exceptions import InvalidStep
from imagepipe.postproduction.protocol import Parameters

MAX_FACTOR = 8
MAX_PIXELS = 100_000_000


class LanczosUpscale:
    """``factor`` times as wide and high; ``sharpen`` 0 (none) to 200 per cent."""

    slug = "upscale-lanczos"
    version = "1"

    def __init__(self, factor: int = 4, sharpen: int = 60) -> None:
        if (
            isinstance(factor, bool)
            or not isinstance(factor, int)
            or not 1 <= factor <= MAX_FACTOR
        ):
            raise InvalidStep(f"The factor must be a whole number from 1 to {MAX_FACTOR}.")
        if isinstance(sharpen, bool) or not isinstance(sharpen, int) or not 0 <= sharpen <= 200:
            raise InvalidStep("The sharpening must be a whole number from 0 to 200.")
        self._factor = factor
        self._sharpen = sharpen

    @property
    def parameters(self) -> Parameters:
        return (("factor", self._factor), ("sharpen", self._sharpen))

    def apply(self, image: Image.Image) -> Image.Image:
        size = (image.width * self._factor, image.height * self._factor)
        if size[0] * size[1] > MAX_PIXELS:
            raise InvalidStep(f"{size[0]}×{size[1]} is too large to enlarge to.")
        transparent = "A" in image.getbands() or "transparency" in image.info
        picture = image.convert("RGBA" if transparent else "RGB")
        if self._factor > 1:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        if self._sharpen:
            mask = ImageFilter.UnsharpMask(
                radius=0.5 * self._factor, percent=self._sharpen, threshold=2
            )
            sharpened = picture.filter(mask)
            if transparent:
                sharpened.putalpha(picture.getchannel("A"))
            picture = sharpened
        return picture
