"""Edges of a picture, white on black, as ControlNets of the kinds canny and softedge read."""

from __future__ import annotations

import numpy as np
from PIL import Image

from imagepipe.postproduction.exceptions import InvalidStep

SIGMA = 1.2
LOW, HIGH = 0.05, 0.12
"""Of Canny's hysteresis, as shares of the strongest possible gradient."""


def find_edges(image: Image.Image, kind: str) -> Image.Image:
    """Return the edges in greyscale as RGB; ``kind`` is ``canny`` or ``softedge``."""
    from scipy import ndimage

    grey = np.asarray(image.convert("L"), dtype=np.float64) / 255
    smooth = ndimage.gaussian_filter(grey, SIGMA)
    across, down = ndimage.sobel(smooth, axis=1) / 4, ndimage.sobel(smooth, axis=0) / 4
    strength = np.hypot(across, down)
    if kind == "softedge":
        highest = max(float(strength.max()), 1e-6)
        pixels = np.sqrt(strength / highest)
    elif kind == "canny":
        pixels = _thin(strength, across, down)
    else:
        raise InvalidStep(f"Edges of the kind “{kind}” are unknown.")
    return Image.fromarray(np.round(pixels * 255).astype(np.uint8)).convert("RGB")


def _thin(strength: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Ridges of the gradient, one pixel wide, that hang together with a strong one.

    J. Canny, A Computational Approach to Edge Detection, 1986.
    """
    from scipy import ndimage

    height, width = strength.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    length = np.maximum(strength, 1e-9)
    step_x, step_y = across / length, down / length

    def beside(sign: int) -> np.ndarray:
        place = [rows + sign * step_y, columns + sign * step_x]
        return ndimage.map_coordinates(strength, place, order=1, mode="nearest")

    ridge = (strength > beside(1)) & (strength >= beside(-1))
    weak, strong = ridge & (strength > LOW), ridge & (strength > HIGH)
    labels, count = ndimage.label(weak, structure=np.ones((3, 3)))
    kept = np.zeros(count + 1, dtype=bool)
    kept[np.unique(labels[strong])] = True
    kept[0] = False
    return kept[labels].astype(np.float64)
