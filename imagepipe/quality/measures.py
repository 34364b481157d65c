"""Plain numbers about a picture's pixels, none of which needs a reference picture.

All work on values from 0 to 1 of the picture reduced to a stated longest side, so that
they mean the same for a raw 128-pixel picture and for its upscaled master.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LARGE, MEDIUM, SMALL = 1024, 256, 128

Plane = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measures:
    """``grain``: noise as a share of all variation (0 none, 1 nothing but noise).
    ``deviation`` and ``contrast``: spread of the strongest colour channel (standard
    deviation; 1st to 99th percentile). ``highlight`` and ``shadow``: 99th and 1st
    percentile of the brightness. ``sharpness``: 99th percentile of the steps between
    neighbours at 256 pixels.
    """

    grain: float
    deviation: float
    contrast: float
    highlight: float
    shadow: float
    sharpness: float

    def rounded(self) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in asdict(self).items()}


def measure(image: Image.Image) -> Measures:
    """Return the measures of a picture of any mode; transparency is laid on grey."""
    picture = _opaque(image)
    large, medium, small = (_reduced(picture, side) for side in (LARGE, MEDIUM, SMALL))
    brightness = _brightness(large)
    spreads = np.percentile(large.reshape(-1, 3), (1, 99), axis=0)
    shadow, highlight = np.percentile(brightness, (1, 99))
    return Measures(
        grain=max(_grain(brightness), _grain(_brightness(small))),
        deviation=float(large.reshape(-1, 3).std(axis=0).max()),
        contrast=float((spreads[1] - spreads[0]).max()),
        highlight=float(highlight),
        shadow=float(shadow),
        sharpness=_sharpness(medium),
    )


def noise_deviation(plane: Plane) -> float:
    """Return the standard deviation of the noise.

    J. Immerkær, "Fast noise variance estimation", CVIU 64 (2), 1996: a mask that is blind
    to slopes and curvature. https://doi.org/10.1006/cviu.1996.0060
    """
    if min(plane.shape) < 3:
        return 0.0
    rows = plane[:-2] - 2 * plane[1:-1] + plane[2:]
    response = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    return float(np.sqrt(np.pi / 2) * np.abs(response).mean() / 6)


def _grain(plane: Plane) -> float:
    deviation = float(plane.std())
    return min(1.0, noise_deviation(plane) / deviation) if deviation > 1 / 512 else 0.0


def _sharpness(pixels: Plane) -> float:
    steps = [np.abs(np.diff(pixels, axis=axis)).ravel() for axis in (0, 1)]
    joined = np.concatenate(steps)
    return float(np.percentile(joined, 99)) if joined.size else 0.0


def _brightness(pixels: Plane) -> Plane:
    return pixels @ np.array([0.299, 0.587, 0.114])


def _reduced(picture: Image.Image, side: int) -> Plane:
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(copy, dtype=np.float64) / 255


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (128, 128, 128, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")
