"""Faces and the main subject of a picture, found once, when it is published.

Faces need OpenCV 4 (the extra `faces`); without it none are found. The subject is the heart
of what stands out from the picture's border in colour, is in focus and near the middle: plain
numpy, no model. Boxes are x, y, width and height in shares of the upright picture.
"""

from __future__ import annotations

import io
import logging
from functools import cache
from typing import Any, Final

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from imagepipe.urlspec.scene import Share

logger = logging.getLogger("imagepipe.delivery")

_SIDE: Final = 640
_SMALL: Final = 96
_MOST_FACES: Final = 20
_LEAST_FACE: Final = 0.04  # of the longer side
#: A detected face is grown to a head: sides, top, bottom, in parts of its size.
_HEAD: Final = (0.2, 0.45, 0.2)


def find_faces(content: bytes) -> tuple[Share, ...]:
    """Heads whose faces are seen from the front, largest first.

    Raises OSError for what is no picture.
    """
    detector = _face_detector()
    if detector is None:
        return ()
    grey = np.asarray(_upright(content, _SIDE).convert("L"))
    height, width = grey.shape
    least = max(24, round(_LEAST_FACE * max(width, height)))
    boxes = detector.detectMultiScale(grey, 1.1, 8, minSize=(least, least))
    found = sorted((tuple(map(int, box)) for box in boxes), key=lambda box: -box[2] * box[3])
    return tuple(_head(box, width, height) for box in found[:_MOST_FACES])


def _head(face: tuple[int, ...], width: int, height: int) -> Share:
    x, y, w, h = face
    sides, top, bottom = _HEAD
    left, upper = max(0.0, x - sides * w), max(0.0, y - top * h)
    right, lower = min(width, x + w + sides * w), min(height, y + h + bottom * h)
    return left / width, upper / height, (right - left) / width, (lower - upper) / height


def find_subject(content: bytes) -> Share | None:
    """The box around the heart of what stands out; None where nothing does.

    Raises OSError for what is no picture.
    """
    # Takes a fifth of a second to import, which a web process does not need.
    from scipy.ndimage import uniform_filter

    picture = _upright(content, 4 * _SMALL).convert("RGB")
    detail = _detail(picture)
    small = picture.resize(detail.shape[::-1], Image.Resampling.BOX)
    weight = uniform_filter(_unlike_border(small) ** 2 * (0.3 + detail), 5, mode="nearest") ** 2
    weight *= _near_the_middle(weight.shape)
    if weight.max() <= 1e-6:
        return None
    height, width = weight.shape
    left, right = _heart(weight.sum(axis=0))
    top, bottom = _heart(weight.sum(axis=1))
    return left / width, top / height, (right - left) / width, (bottom - top) / height


def _upright(content: bytes, side: int) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((side, side), Image.Resampling.BILINEAR)
        return upright


def _detail(picture: Image.Image) -> np.ndarray:
    """How much is in focus, cell by cell, 0 to 1."""
    fine = np.asarray(picture.convert("L"), float)
    soft = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(2)), float)
    scale = _SMALL / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    energy = Image.fromarray(np.abs(fine - soft).astype(np.float32))
    cells = np.asarray(energy.resize(size, Image.Resampling.BOX), float)
    return np.minimum(cells / max(float(np.percentile(cells, 99)), 1e-6), 1.5)


def _unlike_border(picture: Image.Image) -> np.ndarray:
    """Distance of each cell's colour from the colours along the border."""
    lab = np.asarray(picture.convert("LAB"), float)
    lab[..., 1:] = (lab[..., 1:] + 128) % 256
    edge = max(1, min(lab.shape[:2]) // 12)
    rim = np.concatenate(
        [
            part.reshape(-1, 3)
            for part in (lab[:edge], lab[-edge:], lab[:, :edge], lab[:, -edge:])
        ]
    )
    spread = np.cov(rim.T) + np.eye(3) * 20
    away = lab - rim.mean(axis=0)
    return np.sqrt(np.einsum("...i,ij,...j->...", away, np.linalg.inv(spread), away))


def _near_the_middle(shape: tuple[int, int]) -> np.ndarray:
    down, across = (((np.arange(side) / side - 0.5) / 0.5) ** 2 for side in shape)
    return np.exp(-(down[:, None] + across[None, :]))


def _heart(profile: np.ndarray) -> tuple[int, int]:
    """Between the 30th and the 70th part in a hundred of the weight."""
    share = np.cumsum(profile) / profile.sum()
    first, last = int(np.searchsorted(share, 0.3)), int(np.searchsorted(share, 0.7)) + 1
    return first, max(first + 1, last)


@cache
def _face_detector() -> Any:
    try:
        import cv2
    except ImportError:
        return None
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    detector = getattr(cv2, "CascadeClassifier", lambda _: None)(
        f"{folder}haarcascade_frontalface_default.xml"
    )
    if detector is None or detector.empty():
        logger.warning("faces are not looked for: this OpenCV has no cascades; use version 4")
        return None
    return detector
