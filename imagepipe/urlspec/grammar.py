"""Transforms as text: `w_800,h_450,c_fill,g_focal`, one canonical spelling for each value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from imagepipe.urlspec.exceptions import InvalidTransform
from imagepipe.urlspec.transform import Transform

#: Text of the transform that changes no pixels (it is still encoded anew).
UNCHANGED: Final = "full"
MAX_LENGTH: Final = 120

_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise InvalidTransform("numbers have one to five digits and no leading zero")
    return int(text)


def _region(text: str) -> tuple[int, ...]:
    return tuple(_number(part) for part in text.split("."))


def _flag(text: str) -> bool:
    if text != "1":
        raise InvalidTransform("u takes only the value 1")
    return True


# Order is the canonical order of the text.
_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "w": ("width", _number),
    "h": ("height", _number),
    "c": ("fit", str),
    "g": ("gravity", str),
    "r": ("crop", _region),
    "q": ("quality", _number),
    "b": ("background", str),
    "u": ("upscale", _flag),
}


def parse_transform(text: str) -> Transform:
    """Read a transform; keys may come in any order, but each only once.

    Raises InvalidTransform for anything that is not in the grammar.
    """
    if text == UNCHANGED:
        return Transform()
    if not text or len(text) > MAX_LENGTH:
        raise InvalidTransform(f"a transform has 1 to {MAX_LENGTH} characters")
    values: dict[str, Any] = {}
    for part in text.split(","):
        key, separator, value = part.partition("_")
        if not separator or key not in _FIELDS:
            raise InvalidTransform(f"unknown option; known are {', '.join(_FIELDS)}")
        name, read = _FIELDS[key]
        if name in values:
            raise InvalidTransform(f"option {key} is given twice")
        values[name] = read(value)
    return Transform(**values)


def format_transform(transform: Transform) -> str:
    """Write a transform in its canonical spelling: fixed order, defaults left out."""
    parts: list[str] = []
    default = Transform()
    for key, (name, _read) in _FIELDS.items():
        value = getattr(transform, name)
        if value == getattr(default, name):
            continue
        if isinstance(value, tuple):
            value = ".".join(map(str, value))
        parts.append(f"{key}_{1 if value is True else value}")
    return ",".join(parts) or UNCHANGED
