"""Profiles of image fields and blocks: what a place on a page asks of its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.core.checks import CheckMessage, Error

from imagepipe.conf import get_settings
from imagepipe.delivery.presets import UnknownPreset, get_preset
from imagepipe.urlspec import InvalidTransform

DEFAULT_PROFILE = "default"


class UnknownProfile(LookupError):
    """No profile of this name; the message names those that exist."""


class InvalidProfile(ValueError):
    """The settings describe a profile that cannot be used."""


@dataclass(frozen=True, slots=True)
class ImageProfile:
    """What a field or block asks for.

    ``presets`` are those its template shows, the first one in previews. ``ratios`` (width,
    height) are offered for the crop. ``template`` is the slug of the prompt template that
    generation starts from. Publication asks for clear rights and an alternative text unless
    they are switched off.
    """

    name: str
    presets: tuple[str, ...] = ("content",)
    ratios: tuple[tuple[int, int], ...] = ()
    template: str = ""
    rights_required: bool = True
    alt_required: bool = True


OPTIONS = tuple(field.name for field in fields(ImageProfile) if field.name != "name")


def get_profile(name: str) -> ImageProfile:
    """From the settings, or the built-in default. Raises UnknownProfile, InvalidProfile."""
    configured = get_settings().PROFILES
    if name in configured:
        return read_profile(name, configured[name])
    if name == DEFAULT_PROFILE:
        return ImageProfile(DEFAULT_PROFILE)
    known = ", ".join(sorted({*configured, DEFAULT_PROFILE}))
    raise UnknownProfile(f"There is no profile {name!r}; known are {known}.")


def check_profile(name: str, obj: Any) -> list[CheckMessage]:
    """A system check error where a field or block names a profile that does not exist."""
    try:
        get_profile(name)
    except UnknownProfile as error:
        hint = "Add it to IMAGEPIPE['PROFILES'], or name another one."
        return [Error(str(error), hint=hint, obj=obj, id="imagepipe.E008")]
    except InvalidProfile:
        return []  # told once, as imagepipe.E007
    return []


def read_profile(name: str, options: Mapping[str, Any]) -> ImageProfile:
    """A profile from its settings. Raises InvalidProfile."""
    if not isinstance(options, Mapping):
        raise InvalidProfile("a profile is a mapping of options")
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise InvalidProfile(
            f"unknown option {', '.join(unknown)}; known are {', '.join(OPTIONS)}"
        )
    values = dict(options)
    if "presets" in values:
        values["presets"] = _presets(values["presets"])
    if "ratios" in values:
        values["ratios"] = _ratios(values["ratios"])
    if not isinstance(values.get("template", ""), str):
        raise InvalidProfile("template is the slug of a prompt template")
    for option in ("rights_required", "alt_required"):
        if not isinstance(values.get(option, True), bool):
            raise InvalidProfile(f"{option} is True or False")
    return ImageProfile(name, **values)


def _presets(names: Any) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, list | tuple) or not names:
        raise InvalidProfile("presets is a list of at least one name")
    for name in names:
        try:
            get_preset(name)
        except (UnknownPreset, InvalidTransform, TypeError) as error:
            raise InvalidProfile(str(error)) from error
    return tuple(names)


def _ratios(ratios: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(ratios, list | tuple) or not all(map(_is_ratio, ratios)):
        raise InvalidProfile("ratios is a list of pairs of whole numbers: [[16, 9]]")
    return tuple((int(across), int(down)) for across, down in ratios)


def _is_ratio(ratio: Any) -> bool:
    return (
        isinstance(ratio, list | tuple)
        and len(ratio) == 2
        and all(type(part) is int and part > 0 for part in ratio)
    )
