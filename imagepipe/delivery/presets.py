"""Presets of the picture tag: the built-in ones and those of the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from imagepipe.conf import get_settings
from imagepipe.urlspec import PRESETS, InvalidTransform, Preset

_KNOWN = ("widths", "ratio", "fit", "gravity", "sizes", "quality", "background")


class UnknownPreset(LookupError):
    """No preset of this name; the message names those that exist."""


def get_preset(name: str) -> Preset:
    """From the settings, or built in. Raises UnknownPreset, InvalidTransform."""
    configured = get_settings().PRESETS
    if name in configured:
        return read_preset(name, configured[name])
    if name in PRESETS:
        return PRESETS[name]
    known = ", ".join(sorted({*configured, *PRESETS}))
    raise UnknownPreset(f"There is no preset {name!r}; known are {known}.")


def read_preset(name: str, options: Mapping[str, Any]) -> Preset:
    """A preset from its settings. With a ratio, it fills and keeps the focal point in view."""
    return _read(name, json.dumps(options, sort_keys=True, default=list))


@lru_cache(maxsize=200)
def _read(name: str, options: str) -> Preset:
    values: dict[str, Any] = json.loads(options)
    if unknown := sorted(set(values) - set(_KNOWN)):
        raise InvalidTransform(
            f"preset {name}: unknown option {', '.join(unknown)}; known are {', '.join(_KNOWN)}"
        )
    for key in ("widths", "ratio"):
        if values.get(key) is not None:
            values[key] = tuple(values[key])
    if values.get("ratio"):
        values.setdefault("fit", "fill")
        if values["fit"] in ("fill", "crop"):
            values.setdefault("gravity", "focal")
    return Preset(name, **values)
