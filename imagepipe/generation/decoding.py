"""Frozen dataclasses to and from plain JSON values, strictly: exact keys, exact types.

Understands ``str``, ``int``, ``float`` (accepts whole numbers), ``bool``, ``T | None``,
nested dataclasses, ``tuple[T, ...]`` and :data:`Parameters`.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Scalar = str | int | float | bool | None
Parameters = tuple[tuple[str, Scalar], ...]
"""Sorted pairs of name and value; an object in JSON, hashable here."""

MAX_TEXT = 50_000
MAX_ITEMS = 500
MAX_INTEGER = 2**63 - 1

T = TypeVar("T")


def parameters(values: Mapping[str, Scalar]) -> Parameters:
    """Return the sorted pairs of a mapping."""
    return tuple(sorted(values.items()))


def encode(value: Any) -> dict[str, Any]:
    """Return the plain JSON form of a dataclass."""
    hints = _hints(type(value))
    return {name: _encode(getattr(value, name), hint) for name, hint in hints.items()}


def decode(cls: type[T], data: Any, path: str = "") -> T:
    """Return ``cls`` made from untrusted data.

    Raises ``ValueError`` naming the place, for example ``model.sha256: must be text``.
    """
    if not isinstance(data, dict):
        raise _problem(path, "must be an object")
    hints = _hints(cls)
    if unknown := sorted(str(key)[:40] for key in data if key not in hints):
        raise _problem(path, f"has unknown keys: {', '.join(unknown[:5])}")
    if missing := sorted(set(hints) - set(data)):
        raise _problem(path, f"lacks: {', '.join(missing)}")
    return cls(
        **{name: _decode(data[name], hint, f"{path}.{name}") for name, hint in hints.items()}
    )


_known_hints: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _known_hints:
        hints = get_type_hints(cls)
        _known_hints[cls] = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    return _known_hints[cls]


def _encode(value: Any, hint: Any) -> Any:
    if hint == Parameters:
        return dict(value)
    if isinstance(value, tuple):
        return [_encode(item, None) for item in value]
    return encode(value) if dataclasses.is_dataclass(value) else value


def _decode(value: Any, hint: Any, path: str) -> Any:
    if hint == Parameters:
        return _decode_parameters(value, path)
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise _problem(path, f"must be a list of at most {MAX_ITEMS} items")
        item_hint = get_args(hint)[0]
        return tuple(_decode(v, item_hint, f"{path}[{i}]") for i, v in enumerate(value))
    if isinstance(hint, types.UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return None if value is None else _decode(value, inner, path)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return decode(hint, value, path)
    return _decode_scalar(value, hint, path)


def _decode_scalar(value: Any, hint: Any, path: str) -> Any:
    if hint is str:
        return _text(value, path)
    if hint is bool:
        if not isinstance(value, bool):
            raise _problem(path, "must be true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _problem(path, "must be a number")
    if not -MAX_INTEGER <= value <= MAX_INTEGER:  # also true for NaN
        raise _problem(path, "is out of range")
    if hint is float:
        return float(value)
    if isinstance(value, float):
        raise _problem(path, "must be a whole number")
    return value


def _decode_parameters(value: Any, path: str) -> Parameters:
    if not isinstance(value, dict) or len(value) > MAX_ITEMS:
        raise _problem(path, f"must be an object of at most {MAX_ITEMS} entries")
    for name, item in value.items():
        _text(name, path)
        if isinstance(item, str):
            _text(item, f"{path}.{name[:40]}")
        elif item is not None and not isinstance(item, bool):
            _decode_scalar(item, float, f"{path}.{name[:40]}")
    return parameters(value)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _problem(path, "must be text")
    if len(value) > MAX_TEXT:
        raise _problem(path, f"is longer than {MAX_TEXT} characters")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _problem(path, "contains broken characters")
    return value


def _problem(path: str, text: str) -> ValueError:
    return ValueError(f"{path.lstrip('.') or 'The document'}: {text}.")
