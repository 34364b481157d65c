"""The crops that a picture can have by name: the built-in ones and those of the settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import Any, Final

from imagepipe.conf import get_settings
from imagepipe.urlspec import InvalidTransform, Transform
from imagepipe.urlspec.scene import Share

MOST_SHAPES: Final = 30
LARGE_TEXT: Final = 3.0
"""Contrast that WCAG 2.2 asks of large text, https://www.w3.org/TR/WCAG22/#contrast-minimum"""
WHITE: Final = "#ffffff"
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class InvalidShape(ValueError):
    """The settings describe a crop that cannot be used."""


@dataclass(frozen=True, slots=True)
class Headline:
    """Where text lies on a crop: a zone in shares of the crop, and the text's colour.

    ``contrast`` is the least that the text needs, 1 to 21.
    """

    zone: Share
    colour: str = WHITE
    contrast: float = LARGE_TEXT


@dataclass(frozen=True, slots=True)
class CropShape:
    """A named crop: its ratio (width, height, in lowest terms) and what people call it."""

    name: str
    ratio: tuple[int, int]
    label: str
    headline: Headline | None = None


BUILT_IN: Final[dict[str, dict[str, Any]]] = {
    "hero": {"ratio": [16, 9]},
    "card": {"ratio": [4, 3]},
    "square": {"ratio": [1, 1]},
    "social": {"ratio": [1200, 630]},
}


def crop_shapes() -> dict[str, CropShape]:
    """Every crop by name, in the order of the settings. Raises InvalidShape."""
    options: dict[str, Any] = {**BUILT_IN, **get_settings().CROPS}
    named = {name: value for name, value in options.items() if value is not None}
    if len(named) > MOST_SHAPES:
        raise InvalidShape(f"there are more than {MOST_SHAPES} crops")
    return {name: read_shape(name, value) for name, value in named.items()}


def read_shape(name: Any, options: Any) -> CropShape:
    """A crop from its settings. Raises InvalidShape."""
    try:
        Transform(crop=str(name))
        return _read(str(name), json.dumps(options, sort_keys=True, default=list))
    except (InvalidTransform, TypeError, ValueError) as error:
        raise InvalidShape(str(error)) from error


@lru_cache(maxsize=200)
def _read(name: str, text: str) -> CropShape:
    options = _mapping(json.loads(text), ("ratio", "label", "headline"))
    ratio: Any = options.get("ratio")
    if not _numbers(ratio, 2) or not all(type(part) is int and part > 0 for part in ratio):
        raise InvalidShape("ratio has two whole numbers: [16, 9]")
    if max(ratio) > 20 * min(ratio):
        raise InvalidShape("no side may be more than twenty times the other")
    across, down = ratio
    shared = gcd(across, down)
    label = options.get("label", name.replace("-", " ").capitalize())
    if not isinstance(label, str) or not 1 <= len(label) <= 60:
        raise InvalidShape("label is a text of 1 to 60 characters")
    headline = options.get("headline")
    return CropShape(
        name,
        (across // shared, down // shared),
        label,
        None if headline is None else _headline(headline),
    )


def _headline(value: Any) -> Headline:
    options = _mapping(value, ("zone", "colour", "contrast"))
    zone: Any = options.get("zone")
    if not _numbers(zone, 4) or not all(0 <= part <= 1 for part in zone):
        raise InvalidShape("zone has four numbers between 0 and 1: left, top, width, height")
    left, top, width, height = (float(part) for part in zone)
    if not (width and height) or left + width > 1.0001 or top + height > 1.0001:
        raise InvalidShape("the zone is empty, or leaves the crop")
    colour = options.get("colour", WHITE)
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour.lower()):
        raise InvalidShape("colour is written #rrggbb")
    contrast = options.get("contrast", LARGE_TEXT)
    if not _numbers([contrast], 1) or not 1 <= contrast <= 21:
        raise InvalidShape("contrast lies between 1 and 21")
    return Headline((left, top, width, height), colour.lower(), float(contrast))


def _mapping(value: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidShape(f"a mapping of {', '.join(known)} is expected")
    if unknown := sorted(set(value) - set(known)):
        raise InvalidShape(
            f"unknown option {', '.join(unknown)}; known are {', '.join(known)}"
        )
    return value


def _numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == count
        and all(isinstance(part, int | float) and type(part) is not bool for part in value)
    )
