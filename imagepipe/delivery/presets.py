"""Presets of the picture tag: the built-in ones and those of the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from imagepipe.conf import get_settings
from imagepipe.urlspec import PRESETS, SMART, InvalidTransform, Preset

_KNOWN = ("widths", "ratio", "fit", "gravity", "sizes", "quality", "background", "crop")


class UnknownPreset(LookupError):
    """No preset of this name; the message names those that exist."""


def preset_names() -> list[str]:
    """Those of the settings first."""
    configured = get_settings().PRESETS
    return [*configured, *(name for name in PRESETS if name not in configured)]


@lru_cache(maxsize=200)
def get_preset(name: str) -> Preset:
    """From the settings, or built in. Raises UnknownPreset, InvalidTransform."""
    configured = get_settings().PRESETS
    if name in configured:
        return read_preset(name, configured[name])
    if name in PRESETS:
        return PRESETS[name]
    known = ", ".join(sorted({*configured, *PRESETS}))
    raise UnknownPreset(f"There is no preset {name!r}; known are {known}.")


def adapted_preset(name: str, options: Mapping[str, Any]) -> Preset:
    """The preset with other options for one use. Raises what :func:`get_preset` raises.

    ``widths`` may be a number or ``"320,640"``, ``ratio`` ``"16:9"`` or ``"none"``; another
    ratio than the preset's leaves its crop out, unless one is named.
    """
    preset = get_preset(name)
    if not options:
        return preset
    own = {option: getattr(preset, option) for option in _KNOWN}
    if "ratio" in options:
        del own["fit"], own["gravity"], own["crop"]
    changed = {option: _parsed(option, value) for option, value in options.items()}
    return read_preset(name, {**own, **changed})


def _parsed(option: str, value: Any) -> Any:
    separators = {"widths": ",", "ratio": ":"}
    if option in ("ratio", "crop") and value == "none":
        return None
    if option not in separators or isinstance(value, list | tuple):
        return value
    try:
        return [int(part) for part in str(value).split(separators[option])]
    except ValueError as error:
        raise InvalidTransform(f"{option}={value!r} is not understood") from error


def read_preset(name: str, options: Mapping[str, Any]) -> Preset:
    """A preset from its settings. With a ratio, it fills and keeps what matters in view."""
    return _read(name, json.dumps(options, sort_keys=True, default=list))


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "IMAGEPIPE":
        get_preset.cache_clear()


setting_changed.connect(_forget, dispatch_uid="imagepipe.delivery.presets")


@lru_cache(maxsize=200)
def _read(name: str, options: str) -> Preset:
    values: dict[str, Any] = json.loads(options)
    if values.get("ratio") and len(values["ratio"]) != 2:
        raise InvalidTransform(f"preset {name}: a ratio has two numbers")
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
            values.setdefault("gravity", SMART)
    return Preset(name, **values)
