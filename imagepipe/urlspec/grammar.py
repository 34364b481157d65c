"""Transforms as text: `w_800,h_450,c_fill,g_focal`, one canonical spelling for each value."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from imagepipe.urlspec.exceptions import InvalidTransform
from imagepipe.urlspec.transform import Transform

#: Text of the transform that changes no pixels (it is still encoded anew).
UNCHANGED: Final = "full"
MAX_LENGTH: Final = 120

_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")
_REGION = re.compile(r"[0-9.]*")
_RATIO = re.compile(r"[1-4](?:\.[1-9])?")
_HINTED = "auto."


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise InvalidTransform("numbers have one to five digits and no leading zero")
    return int(text)


def _region(text: str) -> tuple[int, ...] | str:
    if not _REGION.fullmatch(text):
        return text
    return tuple(_number(part) for part in text.split("."))


def _gravity(text: str) -> str:
    """Without the centre, where it goes without saying."""
    known, _, last = text.rpartition("-")
    return known if known and last == "center" else text


def _flag(text: str) -> bool:
    if text != "1":
        raise InvalidTransform("u takes only the value 1")
    return True


def _ratio(text: str) -> int:
    """A device pixel ratio, in tenths."""
    if not _RATIO.fullmatch(text):
        raise InvalidTransform("d is 1 to 4, with at most one decimal")
    return round(float(text) * 10)


# Order is the canonical order of the text.
_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "w": ("width", _number),
    "h": ("height", _number),
    "c": ("fit", str),
    "g": ("gravity", _gravity),
    "r": ("crop", _region),
    "q": ("quality", _number),
    "b": ("background", str),
    "u": ("upscale", _flag),
    "blur": ("blur", _number),
    "sharp": ("sharpen", _number),
    "p": ("profile", str),
    "f": ("frame", _number),
}


def parse_transform(text: str) -> Transform:
    """Read a transform; keys may come in any order, but each only once.

    `d` (device pixel ratio) multiplies the width and height; the canonical spelling has the
    product. Raises InvalidTransform for anything that is not in the grammar.
    """
    if text == UNCHANGED:
        return Transform()
    if not text or len(text) > MAX_LENGTH:
        raise InvalidTransform(f"a transform has 1 to {MAX_LENGTH} characters")
    values: dict[str, Any] = {}
    ratio: int | None = None
    for part in text.split(","):
        key, separator, value = part.partition("_")
        if key == "d" and separator and ratio is None:
            ratio = _ratio(value)
            continue
        if not separator or key not in _FIELDS:
            raise InvalidTransform(f"unknown option; known are {', '.join(_FIELDS)}, d")
        name, read = _FIELDS[key]
        if name in values:
            raise InvalidTransform(f"option {key} is given twice")
        if key == "w" and value.startswith(_HINTED):
            values["hinted"] = True
            value = value.removeprefix(_HINTED)
        values[name] = read(value)
    if ratio is not None:
        _multiply(values, ratio)
    return Transform(**values)


def _multiply(values: dict[str, Any], tenths: int) -> None:
    if "width" not in values and "height" not in values:
        raise InvalidTransform("d needs a width or a height")
    for name in ("width", "height"):
        if name in values:
            values[name] = (values[name] * tenths + 5) // 10


def format_transform(transform: Transform) -> str:
    """Write a transform in its canonical spelling: fixed order, defaults left out."""
    parts: list[str] = []
    for key, value, default in zip(_FIELDS, _values(transform), _DEFAULTS, strict=True):
        if value == default:
            continue
        if isinstance(value, tuple):
            value = ".".join(map(str, value))
        if key == "w" and transform.hinted:
            value = f"{_HINTED}{value}"
        parts.append(f"{key}_{1 if value is True else value}")
    return ",".join(parts) or UNCHANGED


_values = attrgetter(*(name for name, _read in _FIELDS.values()))
_DEFAULTS: Final = _values(Transform())
