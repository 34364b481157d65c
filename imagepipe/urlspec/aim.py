"""Where a cut lies, along one side at a time: in whole numbers, half up.

A cut of `cut` pixels slides along `length` pixels. Each thing to keep in view narrows where
it may start; the first one is put in the middle as far as that leaves room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from imagepipe.urlspec.scene import Scene, Share

_STEPS: Final = 1_000_000
_FINE: Final = 1024  # parts of a pixel


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the visible region in the source, and the cut's, in scaled pixels."""

    source: int
    start: int
    extent: int
    length: int
    cut: int

    def scaled(self, share: float) -> int:
        """A share of the source as a place on this side, in 1/1024 pixels."""
        if not 0.0 <= share <= 1.0:
            raise ValueError("points and boxes lie within 0..1")
        place = round(share * _STEPS) * self.source - self.start * _STEPS
        return _divide(_FINE * place * self.length, self.extent * _STEPS)


Span = tuple[float, float]


def spans(scene: Scene, known: str, axis: int) -> list[Span]:
    """First and last share along an axis of each box that a part of a gravity names."""
    boxes: list[Share]
    if known == "focal":
        boxes = [] if scene.focal is None else [(*scene.focal, 0.0, 0.0)]
    elif known == "subject":
        boxes = [] if scene.subject is None else [scene.subject]
    else:
        boxes = sorted(scene.faces, key=lambda face: (-face[2] * face[3], face))
    return [(box[axis], min(1.0, box[axis] + box[axis + 2])) for box in boxes]


def place(side: Side, groups: list[list[Span]]) -> int:
    """Where the cut starts, so that the most important boxes are in view."""
    room, cut = side.length - side.cut, side.cut * _FINE
    first, last = 0, room
    wanted: int | None = None
    for group in groups:
        begin, end = _together([tuple(map(side.scaled, span)) for span in group], cut)
        middle = _divide(begin + end - cut, 2 * _FINE)
        if wanted is None:
            wanted = middle
        if end - begin > cut:
            continue
        low, high = max(first, -(-(end - cut) // _FINE)), min(last, begin // _FINE)
        if low <= high:
            first, last = low, high
    if wanted is None:
        raise ValueError("nothing to aim at")
    return min(max(wanted, first), last)


def _together(boxes: list[tuple[int, ...]], most: int) -> tuple[int, int]:
    """The first box and as many of the next as fit beside it."""
    begin, end = boxes[0]
    for low, high in boxes[1:]:
        if max(end, high) - min(begin, low) <= most:
            begin, end = min(begin, low), max(end, high)
    return begin, end


def _divide(numerator: int, denominator: int) -> int:
    """Half up."""
    return (2 * numerator + denominator) // (2 * denominator)
