"""The quality at which a picture looks as good as it should, and no better.

A line through a few features of the picture tells where to start; what comes out is compared
with the pixels (SSIMULACRA2), and only where it misses the target is another quality tried.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from edge.encode import Effort, native_quality, save
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
    keeps_all: bool = False,
    seconds: float = 10.0,
) -> Found:
    """Encode so that the result scores as near the target as few probes allow.

    Of those that score enough the lightest is taken, of those that do not the best. What first
    answers are encoded at is tried where it may be enough, so that settled bytes are heavier
    than those only for quality's sake. No probe starts after so many seconds. Raises
    SourceUnusable.
    """
    end = time.monotonic() + seconds
    start, bounds = START[extension], BOUNDS[extension]
    reference = Reference(tiles(image))
    tried: dict[int, Found] = {}

    def is_met_by(quality: int) -> bool:
        body = save(image, extension, quality, effort, packet, keeps_all)
        score = reference.score(tiles(pyvips.Image.new_from_buffer(body, "").copy_memory()))
        tried[quality] = Found(body, quality, score, 0)
        return abs(score - target) <= TOLERANCE

    def may_try(quality: int) -> bool:
        return quality not in tried and len(tried) < MOST_PROBES and time.monotonic() < end

    quality = _within(start.quality(features(image), target), bounds)
    is_met = is_met_by(quality)
    while not is_met:
        scores = {quality: found.score for quality, found in tried.items()}
        quality = next_quality(scores, target, start.slope, bounds)
        if not may_try(quality):
            break
        is_met = is_met_by(quality)
    usual = native_quality(None, extension)
    expected = tried[quality].score - start.slope * (quality - usual) if is_met else 0.0
    if usual < quality and expected >= target - TOLERANCE and may_try(usual):
        is_met_by(usual)
    best = best_of(list(tried.values()), target)
    return Found(best.body, best.quality, best.score, len(tried))


def best_of(tried: list[Found], target: float) -> Found:
    """The lightest that meets the target, or the best where none does."""
    enough = [found for found in tried if found.score >= target - TOLERANCE]
    if enough:
        return min(enough, key=lambda found: len(found.body))
    return max(tried, key=lambda found: found.score)


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
