"""System checks with ids and hints."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from imagepipe import library_checks
from imagepipe.conf import ImagepipeSettings, get_settings
from imagepipe.delivery.crop_shapes import InvalidShape, crop_shapes
from imagepipe.delivery.presets import get_preset, preset_names, read_preset
from imagepipe.delivery.profiles import InvalidProfile, read_profile
from imagepipe.delivery.purge.registry import configured
from imagepipe.generation.prices import read_price
from imagepipe.provenance.keys import KeyFolder
from imagepipe.quality.prompt_match import check_options
from imagepipe.urlspec import UrlspecError
from imagepipe.workflow.model_choice import PURPOSES


@register(Tags.compatibility)
def check_imagepipe(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Everything that can be told without touching a database or loading a model."""
    try:
        conf = get_settings()
    except (ImproperlyConfigured, TypeError) as error:
        return [Error(str(error), hint="Correct IMAGEPIPE.", id="imagepipe.E001")]
    return [
        *_storages(conf),
        *_keys(KeyFolder(conf.KEYS)),
        *_presets(conf),
        *_crops(conf),
        *_profiles(conf),
        *_form_base(),
        *library_checks.torchvision(),
        *library_checks.provenance(),
        *library_checks.avif(),
        *_purge_targets(),
        *_prompt_match(conf),
        *_routes(conf),
        *_detectors(conf),
        *_alt_texts(conf),
        *_prices(conf),
    ]


def _routes(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    circles = [slug for slug, spare in conf.FALLBACKS.items() if slug == spare]
    unknown = sorted(set(conf.ROUTES) - set(PURPOSES))
    if unknown or circles:
        yield Error(
            f"ROUTES or FALLBACKS cannot be used: {', '.join([*unknown, *circles])}.",
            hint=f"ROUTES knows {', '.join(PURPOSES)}; a fallback is another model.",
            id="imagepipe.E012",
        )


def _prices(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    try:
        for engine, values in conf.ENGINE_PRICES.items():
            read_price(engine, values)
        if not re.fullmatch("[A-Z]{3}", conf.CURRENCY):
            raise ImproperlyConfigured(f"CURRENCY is {conf.CURRENCY!r}.")
    except (ImproperlyConfigured, TypeError, AttributeError) as error:
        yield Error(
            str(error),
            hint='Correct ENGINE_PRICES in IMAGEPIPE; CURRENCY is three letters, as in "EUR".',
            id="imagepipe.E018",
        )


def _detectors(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    for kind, path in conf.CONTROL_DETECTORS.items():
        if problem := _unusable(path):
            yield Error(
                f"CONTROL_DETECTORS cannot be used for {kind!r}: {problem}.",
                hint="In IMAGEPIPE, name a function by its dotted path, such as "
                '{"openpose": "studio.poses.skeleton"}. Its module is imported here too, so '
                "load weights inside the function.",
                id="imagepipe.E019",
            )


def _unusable(path: object) -> str | None:
    """What is wrong with the dotted path of a function."""
    try:
        found = import_string(path)
    except Exception as error:  # noqa: BLE001 - importing runs whatever the module says
        return f"{path!r} cannot be imported ({type(error).__name__}: {str(error)[:200]})"
    return None if callable(found) else f"{path!r} is no function"


def _prompt_match(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    if conf.PROMPT_MATCH == {}:
        return
    try:
        check_options(conf.PROMPT_MATCH)
    except ValueError as error:
        yield Error(
            f"PROMPT_MATCH cannot be used: {error}",
            hint="In IMAGEPIPE, name the folder of a CLIP and a threshold, such as "
            '{"folder": "/srv/models/clip", "threshold": 0.2}, or leave PROMPT_MATCH empty.',
            id="imagepipe.E011",
        )


def _alt_texts(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    for name, known in (
        ("ALT_TEXT_PUBLISH", ("confirmed", "generated")),
        ("ALT_TEXT_STALE", ("shown", "blocks")),
    ):
        if getattr(conf, name) not in known:
            yield Error(
                f"{name} is {getattr(conf, name)!r}, which does not exist.",
                hint=f"Choose {' or '.join(map(repr, known))} in IMAGEPIPE.",
                id="imagepipe.E015",
            )


def _purge_targets() -> Iterable[CheckMessage]:
    try:
        configured()
    except (ImproperlyConfigured, TypeError, AttributeError, ValueError) as error:
        yield Error(
            str(error),
            hint="Correct PURGE_TARGETS in IMAGEPIPE; until then no cache is told to forget.",
            id="imagepipe.E010",
        )


def _storages(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    for alias in (conf.PRIVATE_STORAGE, conf.DELIVERY_STORAGE):
        options = settings.STORAGES.get(alias)
        if options is None:
            yield Error(
                f"STORAGES has no {alias!r}.",
                hint=f"Add {alias!r} to STORAGES, outside MEDIA_ROOT.",
                id="imagepipe.E002",
            )
        elif _is_public(options.get("OPTIONS", {})):
            yield Error(
                f"The storage {alias!r} can be reached from outside.",
                hint="Give it no base_url and a location outside MEDIA_ROOT and STATIC_ROOT: "
                "masters and candidates must never be served directly.",
                id="imagepipe.E003",
            )


def _is_public(options: dict[str, Any]) -> bool:
    if options.get("base_url"):
        return True
    location = options.get("location")
    roots = [root for root in (settings.MEDIA_ROOT, settings.STATIC_ROOT) if root]
    return location is not None and any(
        Path(location).resolve().is_relative_to(Path(root).resolve()) for root in roots
    )


def _keys(folder: KeyFolder) -> Iterable[CheckMessage]:
    for path in (*folder.secrets(), folder.path / "engine-keys.json"):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Error(
                f"Others can read the private key {path}.",
                hint=f"chmod 600 {path}; if it was readable on a shared machine, replace it.",
                id="imagepipe.E004",
            )
    if not folder.url_keys.exists():
        yield Warning(
            f"There are no keys in {folder.path}.",
            hint="Run: manage.py imagepipe keys",
            id="imagepipe.W001",
        )


def _presets(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    for name, options in conf.PRESETS.items():
        try:
            read_preset(name, options)
        except (UrlspecError, TypeError) as error:
            yield Error(
                f"The preset {name!r} cannot be used: {error}",
                hint="See the reference of the template tags for what a preset may say.",
                id="imagepipe.E005",
            )


def _crops(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    try:
        shapes = crop_shapes()
    except (InvalidShape, TypeError) as error:
        yield Error(
            f"CROPS cannot be used: {error}",
            hint='In IMAGEPIPE, give each crop a ratio, such as {"hero": {"ratio": [16, 9]}}, '
            "or None to leave a built-in one out.",
            id="imagepipe.E016",
        )
        return
    for name in preset_names():
        try:
            preset = get_preset(name)
        except (UrlspecError, TypeError):
            continue  # told as imagepipe.E005
        shape = shapes.get(preset.crop or "")
        if preset.crop and shape is None and name in conf.PRESETS:
            yield Error(
                f"The preset {name!r} names the crop {preset.crop!r}, which does not exist.",
                hint=f"Add it to CROPS in IMAGEPIPE; known are {', '.join(shapes)}.",
                id="imagepipe.E017",
            )
        elif shape and preset.ratio and not _same_ratio(shape.ratio, preset.ratio):
            yield Warning(
                f"The preset {name!r} has another ratio than its crop {preset.crop!r}.",
                hint="Pictures are cut a second time. Give both the same ratio, or leave the "
                "preset's out.",
                id="imagepipe.W016",
            )


def _same_ratio(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] * other[1] == one[1] * other[0]


def _profiles(conf: ImagepipeSettings) -> Iterable[CheckMessage]:
    for name, options in conf.PROFILES.items():
        try:
            read_profile(name, options)
        except InvalidProfile as error:
            yield Error(
                f"The profile {name!r} cannot be used: {error}",
                hint="See the reference of the fields for what a profile may say.",
                id="imagepipe.E007",
            )


def _form_base() -> Iterable[CheckMessage]:
    from imagepipe.forms import ImagepipeFormMixin

    dotted = getattr(settings, "WAGTAILIMAGES_IMAGE_FORM_BASE", "")
    try:
        form = import_string(dotted) if dotted else None
    except ImportError:
        form = None
    if not (isinstance(form, type) and issubclass(form, ImagepipeFormMixin)):
        yield Error(
            "Images are written without imagepipe: replaced files would be lost.",
            hint="Set WAGTAILIMAGES_IMAGE_FORM_BASE = 'imagepipe.forms.ImagepipeImageForm', "
            "or add imagepipe.forms.ImagepipeFormMixin to your own class.",
            id="imagepipe.E006",
        )
