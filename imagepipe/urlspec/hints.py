"""What a browser tells about its screen, brought into a few steps.

Hints are not signed. They choose between the widths of the ladder and between two qualities,
for addresses that allow it, and become part of the transform: nobody can fill a cache with
them, and two visitors who need the same picture get the same one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Final

from imagepipe.urlspec.presets import LADDER
from imagepipe.urlspec.transform import MAX_DIMENSION, Transform

#: Quality (JPEG's scale) for visitors who want to save data.
SAVING_QUALITY: Final = 60
MOST_RATIO: Final = 4.0
#: Request headers that may change the answer, newest name first.
WIDTH: Final = ("Sec-CH-Width", "Width")
RATIO: Final = ("Sec-CH-DPR", "DPR")
VIEWPORT: Final = ("Sec-CH-Viewport-Width", "Viewport-Width")
SAVE_DATA: Final = "Save-Data"

_PIXELS = re.compile(r"[1-9][0-9]{0,4}")
_RATIO = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Hints:
    """Width of the place in device pixels, width of the window in CSS pixels, pixel ratio."""

    width: int | None = None
    viewport: int | None = None
    ratio: float = 1.0
    save_data: bool = False

    @classmethod
    def read(cls, width: str, viewport: str, ratio: str, save_data: str) -> Hints:
        """From the values of the headers; what is malformed counts as not sent."""
        factor = float(ratio) if _RATIO.fullmatch(ratio.strip()) else 1.0
        return cls(
            _pixels(width),
            _pixels(viewport),
            min(MOST_RATIO, max(1.0, factor)),
            save_data.strip().lower() == "on",
        )


NO_HINTS: Final = Hints()


def resolve(transform: Transform, hints: Hints, *, may_save: bool) -> Transform:
    """The transform that is carried out: no hint is left in it.

    A hinted width becomes the smallest step of the ladder that is wide enough; its height
    follows. `may_save` says whether this address may answer with less quality.
    """
    if may_save and hints.save_data and transform.quality is None:
        transform = replace(transform, quality=SAVING_QUALITY)
    if not transform.hinted or transform.width is None:
        return transform
    width = _step(transform.width, hints)
    height = transform.height
    if height is not None:
        height = max(1, (2 * height * width + transform.width) // (2 * transform.width))
        height = min(MAX_DIMENSION, height)
    return replace(transform, width=width, height=height, hinted=False)


def _step(unhinted: int, hints: Hints) -> int:
    if hints.width is not None:
        wanted = hints.width
    elif hints.viewport is not None:
        wanted = math.ceil(hints.viewport * hints.ratio)
    elif hints.ratio != 1.0:
        wanted = math.ceil(unhinted * hints.ratio)
    else:
        return unhinted
    return next((step for step in LADDER if step >= wanted), LADDER[-1])


def _pixels(text: str) -> int | None:
    return int(text) if _PIXELS.fullmatch(text.strip()) else None
