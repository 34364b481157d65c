"""Where a crop of a given ratio should lie: a pure function of what is known of the picture.

As much of the picture as the ratio allows, with the focal point inside. Of the places left,
the one that loses least of the faces and cuts none, then the one that keeps most of the
subject, then the one nearest to what counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imagepipe.delivery.crop_geometry import Size, largest, region_of
from imagepipe.urlspec import Scene
from imagepipe.urlspec.geometry import Box
from imagepipe.urlspec.scene import Share
from imagepipe.urlspec.transform import REGION_SCALE, Region

#: Trust in a suggestion that rests on this and cuts off nearly everything: rules of thumb.
_TRUST: Final = {"focal": 0.95, "faces": 0.85, "subject": 0.6, "nothing": 0.35}
#: A face that is in view up to this share of its area counts as whole; its box is a guess.
_SLACK: Final = 0.02


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A crop, how far it can be trusted (0 to 1), and what it rests on.

    ``basis``: ``focal``, ``faces``, ``subject`` or ``nothing``. ``fits`` is False where no
    crop of this ratio keeps the faces, or the subject where there are none, whole.
    """

    region: Region
    confidence: float
    basis: str
    fits: bool


@dataclass(frozen=True, slots=True)
class _Axis:
    """One side in pixels: its length, the crop's, and what lies along it."""

    length: int
    cut: int
    faces: tuple[tuple[float, float, float], ...]
    """First and last pixel of each, and its share of the picture's area."""
    subject: tuple[float, float] | None
    focal: float | None

    def start(self) -> int:
        room = self.length - self.cut
        low, high = 0, room
        if self.focal is not None:
            low = max(low, math.ceil(self.focal - self.cut))
            high = min(high, math.floor(self.focal))
        target = min(max(round(self._target() - self.cut / 2), low), high)
        places = {target, low, high}
        for begin, end in self._spans():
            for place in (begin, end - self.cut, end, begin - self.cut):
                places |= {math.floor(place), math.ceil(place)}
        allowed = sorted(place for place in places if low <= place <= high)
        return min(allowed, key=lambda place: (*self._losses(place), abs(place - target)))

    def _spans(self) -> list[tuple[float, float]]:
        spans = [(begin, end) for begin, end, _area in self.faces]
        return spans if self.subject is None else [*spans, self.subject]

    def _target(self) -> float:
        if self.focal is not None:
            return self.focal
        if self.faces:
            begin, end, _area = self.faces[0]
            for low, high, _area in self.faces[1:]:
                if max(end, high) - min(begin, low) <= self.cut:
                    begin, end = min(begin, low), max(end, high)
            return (begin + end) / 2
        return sum(self.subject) / 2 if self.subject else self.length / 2

    def _losses(self, place: int) -> tuple[float, float]:
        faces = 0.0
        for begin, end, area in self.faces:
            seen = visible(begin, end, place, place + self.cut)
            is_cut = 1e-6 < seen < 1 - 1e-6
            faces += area * (1 - seen + (1 if is_cut else 0))
        subject = 0.0
        if self.subject is not None:
            subject = 1 - visible(*self.subject, place, place + self.cut)
        return round(faces, 9), round(subject, 9)


def suggest_crop(scene: Scene, ratio: Size, size: Size) -> Suggestion:
    """The crop of this ratio (lowest terms) for a picture of this size in pixels."""
    cut = largest(ratio, size)
    left, top = (_axis(scene, axis, size[axis], cut[axis]).start() for axis in (0, 1))
    region = region_of(Box(left, top, *cut), size)
    basis = "nothing"
    for name, known in (("subject", scene.subject), ("faces", scene.faces)):
        basis = name if known else basis
    basis = "focal" if scene.focal is not None else basis
    kept = cut[0] * cut[1] / (size[0] * size[1])
    trust = _TRUST[basis] + (1 - _TRUST[basis]) * kept**3
    seen = _seen(region, scene.faces)
    if cut_faces(region, scene.faces):
        trust *= 0.7
    return Suggestion(region, round(trust * seen, 2), basis, _fits(scene, cut, size))


def cut_faces(region: Region, faces: Sequence[Share]) -> tuple[Share, ...]:
    """The faces that the edge of the crop goes through."""
    return tuple(
        face for face in faces if _SLACK < share_seen(region, face) < 1 - _SLACK
    )


def share_seen(region: Region, box: Share) -> float:
    """How much of a box's area lies inside a crop, 0 to 1."""
    left, top, width, height = (part / REGION_SCALE for part in region)
    return visible(box[0], box[0] + box[2], left, left + width) * visible(
        box[1], box[1] + box[3], top, top + height
    )


def visible(begin: float, end: float, first: float, last: float) -> float:
    """How much of a span lies between first and last, 0 to 1; a point lies there or not."""
    if end <= begin:
        return 1.0 if first <= begin <= last else 0.0
    return max(0.0, min(end, last) - max(begin, first)) / (end - begin)


def _axis(scene: Scene, axis: int, length: int, cut: int) -> _Axis:
    def span(box: Share) -> tuple[float, float]:
        return box[axis] * length, min(1.0, box[axis] + box[axis + 2]) * length

    ranked = sorted(scene.faces, key=lambda face: (-face[2] * face[3], face))
    return _Axis(
        length,
        cut,
        tuple((*span(face), face[2] * face[3]) for face in ranked),
        None if scene.subject is None else span(scene.subject),
        None if scene.focal is None else scene.focal[axis] * length,
    )


def _seen(region: Region, faces: Sequence[Share]) -> float:
    """How much of all faces' area is in view."""
    area = sum(face[2] * face[3] for face in faces)
    if not area:
        return 1.0
    return sum(face[2] * face[3] * share_seen(region, face) for face in faces) / area


def _fits(scene: Scene, cut: Size, size: Size) -> bool:
    boxes = scene.faces or (() if scene.subject is None else (scene.subject,))
    if not boxes:
        return True
    for axis in (0, 1):
        begin = min(box[axis] for box in boxes)
        end = max(min(1.0, box[axis] + box[axis + 2]) for box in boxes)
        if (end - begin) * size[axis] > cut[axis] * (1 + _SLACK):
            return False
    return True
