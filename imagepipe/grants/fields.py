"""Strict readers for values that come out of a parsed JSON document.

Every reader raises InvalidDocument with the field's name; none of them coerces a type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from imagepipe.grants.exceptions import InvalidDocument

LARGEST_INTEGER = 2**53 - 1  # the largest integer that every JSON reader keeps exactly
LONGEST_TEXT = 10_000

HEX32 = re.compile(r"[0-9a-f]{32}")
HEX64 = re.compile(r"[0-9a-f]{64}")
TAG = re.compile(r"[A-Za-z0-9._:/-]{1,128}")  # fits every CDN's cache-tag header

T = TypeVar("T")


def require_object(value: object, name: str, keys: Iterable[str]) -> dict[str, Any]:
    """The value as an object that has exactly these keys."""
    if not isinstance(value, dict):
        raise InvalidDocument(f"{name} is not an object")
    wanted = set(keys)
    if value.keys() != wanted:
        odd = sorted(str(key)[:40] for key in value.keys() ^ wanted)
        raise InvalidDocument(f"{name} has missing or unexpected fields: {', '.join(odd[:8])}")
    return value


def require_list(value: object, name: str, longest: int) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidDocument(f"{name} is not a list")
    if len(value) > longest:
        raise InvalidDocument(f"{name} has more than {longest} entries")
    return value


def require_mapping(value: object, name: str, longest: int) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InvalidDocument(f"{name} is not an object")
    if len(value) > longest:
        raise InvalidDocument(f"{name} has more than {longest} entries")
    return value


def require_integer(
    value: object, name: str, lowest: int = 0, highest: int = LARGEST_INTEGER
) -> int:
    if type(value) is not int:  # bool is an int to isinstance()
        raise InvalidDocument(f"{name} is not an integer")
    if not lowest <= value <= highest:
        raise InvalidDocument(f"{name} is outside {lowest}..{highest}")
    return value


def require_bool(value: object, name: str) -> bool:
    if type(value) is not bool:
        raise InvalidDocument(f"{name} is not true or false")
    return value


def require_fraction(value: object, name: str) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidDocument(f"{name} is not a number")
    if not 0 <= value <= 1 or not math.isfinite(value):
        raise InvalidDocument(f"{name} is outside 0..1")
    return float(value)


def require_text(
    value: object,
    name: str,
    pattern: re.Pattern[str] | None = None,
    longest: int = LONGEST_TEXT,
) -> str:
    """A string that can be written as UTF-8; with a pattern, one that matches it entirely."""
    if not isinstance(value, str):
        raise InvalidDocument(f"{name} is not text")
    if len(value) > longest:
        raise InvalidDocument(f"{name} is longer than {longest} characters")
    if pattern is not None and not pattern.fullmatch(value):
        raise InvalidDocument(f"{name} has an unexpected form")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidDocument(f"{name} holds half a character")
    return value


def require_texts(
    value: object, name: str, pattern: re.Pattern[str], longest: int
) -> tuple[str, ...]:
    items = require_list(value, name, longest)
    return tuple(require_text(item, name, pattern) for item in items)


def optional(value: object, name: str, read: Callable[[object, str], T]) -> T | None:
    return None if value is None else read(value, name)
