"""The quality at which a picture looks as good as it should, and no better.

A line through a few features of the picture tells where to start; what comes out is compared
with the pixels (SSIMULACRA2), and only where it misses the target is another quality tried.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from edge.encode import Effort, save
from edge.features import features, tiles
from edge.quality_model import START
from edge.similarity import Reference
from edge.vips import pyvips

#: Points of SSIMULACRA2 that count as having met the target.
TOLERANCE: Final = 3.0
MOST_PROBES: Final = 3
#: Least and most quality, on each format's own scale.
BOUNDS: Final = {"jpg": (40, 94), "webp": (40, 94), "avif": (35, 80)}


@dataclass(frozen=True, slots=True)
class Found:
    """Encoded bytes, their quality on the format's own scale, points, encodings tried."""

    body: bytes
    quality: int
    score: float
    probes: int


def search(
    image: pyvips.Image,
    extension: str,
    target: float,
    effort: Effort,
    *,
    packet: bytes = b"",
    seconds: float = 10.0,
) -> Found:
    """Encode so that the result scores as near the target as few probes allow.

    No probe starts after so many seconds. Raises SourceUnusable.
    """
    end = time.monotonic() + seconds
    start, bounds = START[extension], BOUNDS[extension]
    reference = Reference(tiles(image))
    quality = _within(start.quality(features(image), target), bounds)
    tried: dict[int, float] = {}
    best: Found | None = None
    while quality not in tried and len(tried) < MOST_PROBES:
        body = save(image, extension, quality, effort, packet)
        score = reference.score(tiles(pyvips.Image.new_from_buffer(body, "").copy_memory()))
        tried[quality] = score
        if best is None or abs(score - target) < abs(best.score - target):
            best = Found(body, quality, score, 0)
        if abs(score - target) <= TOLERANCE or time.monotonic() >= end:
            break
        quality = next_quality(tried, target, start.slope, bounds)
    assert best is not None  # noqa: S101 the loop runs at least once
    return Found(best.body, best.quality, best.score, len(tried))


def next_quality(
    tried: dict[int, float], target: float, slope: float, bounds: tuple[int, int]
) -> int:
    """From the nearest try, by the slope between two tries or else the usual one."""
    nearest = min(tried, key=lambda quality: abs(tried[quality] - target))
    others = [quality for quality in tried if quality != nearest]
    if others:
        other = others[-1]
        measured = (tried[nearest] - tried[other]) / (nearest - other)
        slope = min(max(measured, slope / 3), slope * 3)
    step = (target - tried[nearest]) / slope
    away = max(1.0, abs(step))
    return _within(nearest + (away if step > 0 else -away), bounds)


def _within(quality: float, bounds: tuple[int, int]) -> int:
    return round(min(max(quality, bounds[0]), bounds[1]))
