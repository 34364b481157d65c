"""Untrusted values of foreign documents as plain ones within bounds, or nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from imagepipe.generation.interchange.foreign import (
    MAX_LEFT_OVER,
    MAX_NAME,
    MAX_PROMPT,
    MAX_VALUE,
    UnreadableRecipe,
)

MAX_JSON = 4 * 1024 * 1024
"""Characters; workflows with pictures inside are larger and are not read."""
MAX_SEED = 2**53 - 1
MAX_SIDE = 16_384
MAX_STEPS = 1_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def read_json(text: str) -> Any:
    """Return parsed JSON; NaN and infinities become None. Raises :class:`UnreadableRecipe`."""
    if len(text) > MAX_JSON:
        raise UnreadableRecipe(f"The JSON is longer than {MAX_JSON} characters.")
    try:
        return json.loads(text, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        raise UnreadableRecipe("This is not JSON, or it is nested too deeply.") from None


def words(value: Any, limit: int = MAX_PROMPT) -> str:
    """Return text without control characters, cut at the limit; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub("", value[:limit].replace("\r\n", "\n").replace("\r", "\n")).strip()


def name(value: Any) -> str:
    """Return a short name on one line."""
    return " ".join(words(value, MAX_NAME).split())


def whole(value: Any, lowest: int, highest: int) -> int | None:
    """Return a whole number, also one that was written as text, or None out of bounds."""
    found = number(value, lowest, highest)
    if found is None or not float(found).is_integer():
        return None
    return value if isinstance(value, int) else _exact(value, found)


def number(value: Any, lowest: float, highest: float) -> float | None:
    """Return a finite number, also one that was written as text, or None out of bounds."""
    if isinstance(value, str):
        if len(value) > 40:
            return None
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if lowest <= value <= highest else None


def seed(value: Any) -> int | None:
    return whole(value, 0, MAX_SEED)


def side(value: Any) -> int | None:
    return whole(value, 1, MAX_SIDE)


def steps(value: Any) -> int | None:
    return whole(value, 1, MAX_STEPS)


def guidance(value: Any) -> float | None:
    return number(value, 0, 100)


def share(value: Any) -> float | None:
    return number(value, 0, 1)


def weight(value: Any) -> float:
    found = number(value, -10, 10)
    return 1.0 if found is None else float(found)


def left_over(
    values: Mapping[str, Any] | Iterable[tuple[str, Any]], taken: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return names and shortened values of what was not taken, in the given order."""
    pairs = values.items() if isinstance(values, Mapping) else values
    known = set(taken)
    found: list[tuple[str, str]] = []
    for key, value in pairs:
        if key in known or value in (None, "", [], {}):
            continue
        if len(found) >= MAX_LEFT_OVER:
            break
        found.append((name(key), _short(value)))
    return tuple(found)


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "…"
    text = value if isinstance(value, str) else str(value)[:MAX_VALUE]
    shown = " ".join(words(text, MAX_VALUE).split())
    return f"{shown}…" if len(text) > MAX_VALUE else shown


def _exact(value: Any, found: float) -> int:
    """A number written as text may have more digits than a float holds."""
    try:
        return int(value)
    except ValueError:
        return int(found)
