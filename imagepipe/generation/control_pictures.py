"""Control pictures from photographs: the outlines that ControlNets are trained on.

Edges are drawn white on black. Skeletons and depths need a detector with weights of its
own; see :mod:`imagepipe.generation.detectors`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

CANNY_SIGMA = 1.4
SOFT_SCALES = (1.0, 2.0, 4.0)
"""Pixels; coarse outlines count as much as fine ones."""


def canny(
    picture: Image.Image, *, low: float = 0.1, high: float = 0.2, sigma: float = CANNY_SIGMA
) -> Image.Image:
    """Return thin edges. ``low`` and ``high`` are the gradients (0–1) of the hysteresis.

    Canny, A Computational Approach to Edge Detection, 1986.
    """
    from skimage.feature import canny as detect

    grey = np.asarray(picture.convert("L"), dtype=float) / 255
    edges = detect(grey, sigma=sigma, low_threshold=low, high_threshold=high)
    return Image.fromarray(edges.astype(np.uint8) * 255).convert("RGB")


def soft_edge(picture: Image.Image) -> Image.Image:
    """Return thick, soft outlines: gradients of several scales, the strongest as white."""
    from scipy.ndimage import gaussian_gradient_magnitude

    colours = np.asarray(picture.convert("RGB"), dtype=float)
    total = np.zeros(colours.shape[:2])
    for scale in SOFT_SCALES:
        gradient = np.max(
            [gaussian_gradient_magnitude(colours[..., c], scale) for c in range(3)], axis=0
        )
        total += gradient * scale
    highest = np.percentile(total, 99.5)
    if highest < 1:
        return Image.new("RGB", picture.size)
    values = np.clip(total / highest, 0, 1) ** 0.8
    return Image.fromarray(np.round(values * 255).astype(np.uint8)).convert("RGB")


COMPUTED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "canny": canny,
    "softedge": soft_edge,
}
"""Kinds that are computed from a picture."""
