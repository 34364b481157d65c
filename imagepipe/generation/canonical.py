"""Canonical JSON: one text for one meaning, whatever order or number style it came in.

Keys are sorted, there is no white space, text is UTF-8. A float with a whole value is
written as an integer, as JavaScript and RFC 8785 do, so that a document which travelled
through a browser or a database keeps its hash. NaN, infinities and lone surrogates are
refused.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
_SAFE_INTEGER = 2**53


def canonical_json(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value. Raises ``ValueError`` for anything else."""
    text = json.dumps(
        _normalised(value, 0),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    return text.encode("utf-8")


def parse_json(data: bytes | str) -> Any:
    """Parse untrusted JSON. Raises ``ValueError``; also for a key given twice."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"The document is larger than {MAX_BYTES} bytes.")
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("The document is nested too deeply.") from None


def _normalised(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("The document is nested too deeply.")
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("Numbers must be finite.")
        return int(value) if value.is_integer() and abs(value) < _SAFE_INTEGER else value
    if isinstance(value, (list, tuple)):
        return [_normalised(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("Keys must be text.")
        return {key: _normalised(item, depth + 1) for key, item in value.items()}
    raise ValueError(f"{type(value).__name__} has no JSON form.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("A key is given twice.")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number.")
