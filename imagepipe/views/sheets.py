"""Forms that make one run however often they are sent unchanged."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms

from imagepipe.generation.canonical import canonical_json


def sheet_field() -> forms.CharField:
    """Which showing of the form this is."""
    return forms.CharField(
        required=False,
        max_length=64,
        initial=lambda: uuid.uuid4().hex,
        widget=forms.HiddenInput(attrs={"autocomplete": "off"}),
    )


def idempotency_key(values: Mapping[str, Any]) -> str:
    """Of the sheet with what was written on it; empty where no sheet was sent."""
    if not values.get("sheet"):
        return ""
    return hashlib.sha256(canonical_json({n: _plain(v) for n, v in values.items()})).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(getattr(value, "pk", value))
