from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest

from imagepipe import checks, library_checks
from imagepipe.delivery.profiles import get_profile
from imagepipe.provenance.keys import KeyFolder, create_keys


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "KEYS": tmp_path / "keys"}
    create_keys()


def found() -> list[str]:
    messages = checks.check_imagepipe()
    assert all(message.hint for message in messages)
    return [message.id for message in messages if message.id != "imagepipe.W004"]


def test_the_reference_site_is_in_order() -> None:
    assert found() == []


def test_unknown_settings(settings: Any) -> None:
    settings.IMAGEPIPE = {"EDGE": "x"}
    assert found() == ["imagepipe.E001"]


def test_missing_storages(settings: Any) -> None:
    settings.STORAGES = {
        alias: options
        for alias, options in settings.STORAGES.items()
        if not alias.startswith("imagepipe")
    }
    assert found() == ["imagepipe.E002", "imagepipe.E002"]


@pytest.mark.parametrize("exposure", [{"base_url": "/private/"}, {"location": "media/private"}])
def test_storages_that_can_be_reached(
    settings: Any, tmp_path: Path, exposure: dict[str, str]
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    options = {"location": str(tmp_path / "private"), **exposure}
    options["location"] = str(tmp_path / options["location"])
    storages = dict(settings.STORAGES)
    storages["imagepipe_private"] = {**storages["imagepipe_private"], "OPTIONS": options}
    settings.STORAGES = storages
    assert found() == ["imagepipe.E003"]


def test_keys_that_others_can_read(tmp_path: Path) -> None:
    KeyFolder(tmp_path / "keys").grant_key.chmod(0o644)
    assert found() == ["imagepipe.E004"]


def test_missing_keys(settings: Any, tmp_path: Path) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "KEYS": tmp_path / "none"}
    assert found() == ["imagepipe.W001"]


@pytest.mark.parametrize(
    "preset",
    [{"width": 3}, {"widths": [0]}, {"ratio": [1, 2], "fit": "fit"}, {"widths": 7}],
)
def test_presets_that_cannot_be_used(settings: Any, preset: dict[str, Any]) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PRESETS": {"odd": preset}, "PROFILES": {}}
    assert found() == ["imagepipe.E005"]


@pytest.mark.parametrize(
    "profile",
    [
        {"preset": "hero"},
        {"presets": []},
        {"presets": "hero"},
        {"presets": ["huge"]},
        {"presets": [["hero"]]},
        {"ratios": [[16]]},
        {"ratios": [[16, 0]]},
        {"ratios": 16},
        {"template": None},
        {"rights_required": "no"},
        [],
    ],
)
def test_profiles_that_cannot_be_used(settings: Any, profile: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": {"odd": profile}}
    assert found() == ["imagepipe.E007"]


def test_a_profile_that_can_be_used(settings: Any) -> None:
    options = {
        "presets": ["hero", "card"],
        "ratios": [[16, 9]],
        "template": "editorial",
        "rights_required": False,
        "alt_required": False,
    }
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROFILES": {"hero": options}}
    assert found() == []
    assert get_profile("hero").ratios == ((16, 9),)


@pytest.mark.parametrize("form", ["", "wagtail.images.forms.BaseImageForm", "no.such.Form"])
def test_a_form_that_would_lose_files(settings: Any, form: str) -> None:
    settings.WAGTAILIMAGES_IMAGE_FORM_BASE = form
    assert found() == ["imagepipe.E006"]


@pytest.mark.parametrize(
    ("torch", "torchvision", "needs", "warned"),
    [
        ("2.13.0+cpu", "0.28.0", "torch ==2.13.0", True),
        ("2.13.0+cpu", "0.28.0+cpu", "torch (==2.13.0)", False),
        ("2.13.0", "0.27.0", "torch==2.12.0", True),
        ("2.13.0", None, "", False),
        (None, "0.28.0", "", False),
    ],
)
def test_torchvision_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch,
    torch: str | None,
    torchvision: str | None,
    needs: str,
    warned: bool,
) -> None:
    versions = {"torch": torch, "torchvision": torchvision}
    monkeypatch.setattr(library_checks, "installed_version", versions.get)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["numpy", needs])
    assert ("imagepipe.W002" in found()) is warned


@pytest.mark.parametrize(
    "options",
    [
        None,
        "/srv/models/clip",
        ["folder"],
        {"threshold": 0.2},
        {"folder": ""},
        {"folder": 7},
        {"folder": "a\0b"},
        {"folder": "/srv/clip", "limit": 1},
        {"folder": "/srv/clip", "threshold": "0.2"},
        {"folder": "/srv/clip", "threshold": True},
        {"folder": "/srv/clip", "threshold": 1.5},
        {"folder": "/srv/clip", "threshold": float("nan")},
    ],
)
def test_prompt_match_that_cannot_be_used(settings: Any, options: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROMPT_MATCH": options}
    assert found() == ["imagepipe.E011"]


@pytest.mark.parametrize(
    "options", [{}, {"folder": Path("/srv/clip")}, {"folder": "clip", "threshold": -1}]
)
def test_prompt_match_that_can_be_used(settings: Any, options: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PROMPT_MATCH": options}
    assert found() == []


def test_provenance_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_checks, "can_sign", lambda: False)
    assert found() == ["imagepipe.W003"]


def test_crops_that_cannot_be_used_are_told(settings: Any) -> None:
    for wrong in (
        {"hero": {}},
        {"hero": {"ratio": [0, 1]}},
        {"hero": {"ratio": [100, 1]}},
        {"hero": {"ratio": [16, 9], "colour": "red"}},
        {"hero": {"ratio": [16, 9], "headline": {"zone": [0, 0, 2, 1]}}},
        {"hero": {"ratio": [16, 9], "headline": {"zone": [0, 0, 1, 1], "colour": "red"}}},
        {"Hero!": {"ratio": [16, 9]}},
        {"hero": "16:9"},
    ):
        settings.IMAGEPIPE = {**settings.IMAGEPIPE, "CROPS": wrong}
        assert "imagepipe.E016" in {error.id for error in checks.check_imagepipe()}, wrong


def test_presets_and_crops_must_fit(settings: Any) -> None:
    presets = {
        "lost": {"crop": "poster"},
        "other": {"crop": "tall", "ratio": [1, 1]},
        "fine": {"crop": "tall", "ratio": [8, 10]},
        "free": {"crop": "tall"},
    }
    crops = {"tall": {"ratio": [4, 5]}, "social": None}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PRESETS": presets, "CROPS": crops}
    told = {error.id: str(error.msg) for error in checks.check_imagepipe()}
    assert "imagepipe.E016" not in told
    assert "'lost'" in told["imagepipe.E017"] and "'poster'" in told["imagepipe.E017"]
    assert "'other'" in told["imagepipe.W016"]


@pytest.mark.parametrize(
    "values",
    [
        {"ENGINE_PRICES": {"far": {"picture": "free"}}},
        {"ENGINE_PRICES": ["far"]},
        {"CURRENCY": "euro"},
    ],
)
def test_prices_that_cannot_be_meant(settings: Any, values: dict[str, Any]) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, **values}
    assert found() == ["imagepipe.E018"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere.poses.skeleton", "ModuleNotFoundError"),
        ("skeleton", "ImportError"),
        ("imagepipe.generation.control_pictures.nothing", "ImportError"),
        ("imagepipe.generation.control_pictures.CANNY_SIGMA", "is no function"),
        (7, "AttributeError"),
    ],
)
def test_detectors_that_cannot_be_used(settings: Any, path: Any, says: str) -> None:
    detectors = {"openpose": path, "canny": "imagepipe.generation.control_pictures.canny"}
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "CONTROL_DETECTORS": detectors}
    assert found() == ["imagepipe.E019"]
    [message] = [m for m in checks.check_imagepipe() if m.id == "imagepipe.E019"]
    assert "'openpose'" in message.msg and says in message.msg
