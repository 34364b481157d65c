"""Wagtail's filter specifications in the words of the edge.

https://docs.wagtail.org/en/stable/topics/images.html#available-resizing-methods
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagepipe.delivery.addresses import Extension
from imagepipe.urlspec import InvalidTransform, Transform
from imagepipe.urlspec.transform import MAX_DIMENSION

_FORMATS: dict[str, Extension] = {"jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif"}
_QUALITIES = {"jpegquality": "jpg", "webpquality": "webp", "avifquality": "avif"}
_OPERATION = re.compile(r"([a-z]+)(?:-(.+))?")
_BOX = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})(?:-c\d{1,3})?")
Size = tuple[int, int]
Options = dict[str, Any]


@dataclass(frozen=True)
class Rendering:
    """What one filter specification asks for."""

    transform: Transform
    extension: Extension


def read_filter(spec: str, source: Size) -> Rendering | None:
    """The rendering of a picture of this size; None if the edge has no word for it.

    How close ``fill-…-c75`` goes to the focal point is left to the edge. Without a format the
    browser gets the best that it accepts.
    """
    geometry: Options | None = None
    extension: Extension = "auto"
    qualities: dict[str, int] = {}
    encoding: Options = {}
    for operation in spec.split("|"):
        found = _OPERATION.fullmatch(operation)
        name, value = (found[1], found[2] or "") if found else ("", "")
        if name in _GEOMETRY and geometry is None:
            geometry = _GEOMETRY[name](value, source)
            if geometry is None:
                return None
        elif name == "format" and value in _FORMATS:
            extension = _FORMATS[value]
        elif name in _QUALITIES and value.isdecimal():
            qualities[_QUALITIES[name]] = int(value)
        elif name == "bgcolor" and (background := _colour(value)):
            encoding["background"] = background
        else:
            return None
    if extension in qualities:
        encoding["quality"] = qualities[extension]
    try:
        return Rendering(Transform(**(geometry or {}), **encoding), extension)
    except InvalidTransform:
        return None


def _fill(value: str, source: Size) -> Options | None:
    box = _BOX.fullmatch(value)
    return box and {
        "width": int(box[1]),
        "height": int(box[2]),
        "fit": "fill",
        "gravity": "focal",
    }


def _max(value: str, source: Size) -> Options | None:
    box = _BOX.fullmatch(value)
    return box and {"width": int(box[1]), "height": int(box[2])}


def _min(value: str, source: Size) -> Options | None:
    box = _BOX.fullmatch(value)
    if box is None:
        return None
    share = max(int(box[1]) / source[0], int(box[2]) / source[1])
    return _scaled(min(share, 1), source)


def _scale(value: str, source: Size) -> Options | None:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", value) or not 0 < float(value) <= 100:
        return None  # Wagtail enlarges
    return _scaled(float(value) / 100, source)


def _scaled(share: float, source: Size) -> Options:
    if share == 1:
        return {}
    return {"width": max(1, round(source[0] * share))}


def _side(name: str) -> Callable[[str, Size], Options | None]:
    def read(value: str, source: Size) -> Options | None:
        if not value.isdecimal() or not 1 <= int(value) <= MAX_DIMENSION:
            return None
        return {name: int(value)}

    return read


def _original(value: str, source: Size) -> Options | None:
    return None if value else {}


_GEOMETRY: dict[str, Callable[[str, Size], Options | None]] = {
    "fill": _fill,
    "max": _max,
    "min": _min,
    "scale": _scale,
    "width": _side("width"),
    "height": _side("height"),
    "original": _original,
}


def _colour(value: str) -> str:
    value = value.lower()
    if re.fullmatch(r"[0-9a-f]{3}", value):
        return "".join(sign * 2 for sign in value)
    return value if re.fullmatch(r"[0-9a-f]{6}", value) else ""
