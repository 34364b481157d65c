"""How alike two pictures of the same size are: structural similarity and hash distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from imagepipe.quality.fingerprints import fingerprint, hamming

LARGEST = 1024
"""Longest side in pixels at which structure is compared; larger pictures are reduced."""
SMALLEST = 11
"""Side in pixels of the window of the structural similarity; smaller pictures are enlarged."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """``ssim``: −1 to 1, 1 for equal pixels; ``hash_bits``: 0 to 64 bits that differ."""

    ssim: float
    hash_bits: int


def similarity(a: Image.Image, b: Image.Image) -> Similarity:
    """Return how alike two RGB pictures are; ``b`` is scaled to the size of ``a``.

    SSIM on the colour channels with a Gaussian window: Z. Wang et al., "Image quality
    assessment: from error visibility to structural similarity", IEEE TIP 13 (4), 2004.
    https://doi.org/10.1109/TIP.2003.819861
    """
    from skimage.metrics import structural_similarity

    first, second = a.convert("RGB"), b.convert("RGB")
    if second.size != first.size:
        second = second.resize(first.size, Image.Resampling.LANCZOS)
    bits = hamming(fingerprint(first).phash, fingerprint(second).phash)
    factor = min(1.0, LARGEST / max(first.size))
    width, height = (max(SMALLEST, round(side * factor)) for side in first.size)
    planes = [
        np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.uint8)
        for picture in (first, second)
    ]
    score = structural_similarity(
        planes[0],
        planes[1],
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return Similarity(float(score), bits)
