"""Sharpening and blurring of pixels that have their final size."""

from __future__ import annotations

from edge.vips import pyvips
from imagepipe.urlspec import Transform


def sharpened(image: pyvips.Image, transform: Transform, scale: float) -> pyvips.Image:
    """Unsharp masking of the lightness, tuned to how much the picture was reduced.

    `scale` is output to source. A picture that is not reduced has lost nothing and is left
    alone; from a quarter on the whole strength counts.
    """
    if transform.sharpen is None or scale >= 1:
        return image
    amount = 2.5 * transform.sharpen / 100 * min(1.0, (1 - scale) / 0.75)
    return image.sharpen(sigma=0.5, x1=1, y2=8, y3=16, m1=0, m2=amount).cast("uchar")


def blurred(image: pyvips.Image, transform: Transform) -> pyvips.Image:
    """Gaussian blur that looks the same at every size. Transparency is blurred with it."""
    if transform.blur is None:
        return image
    sigma = transform.blur * max(image.width, image.height) / 1000
    if sigma < 0.2:
        return image
    if not image.hasalpha():
        return image.gaussblur(sigma).cast("uchar")
    return image.premultiply().gaussblur(sigma).unpremultiply().cast("uchar")
