from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from imagepipe.generation.backends import available, get, register, registry
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.exceptions import BackendUnavailable, UnknownBackend


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_factories", dict(registry._factories))
    monkeypatch.setattr(registry, "_instances", {})
    yield


def test_built_ins_are_available() -> None:
    assert {"fake", "diffusers"} <= set(available())


def test_instances_are_shared_per_options() -> None:
    assert get("fake") is get("fake")
    assert get("fake", seconds_per_step=0.5) is not get("fake")


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(UnknownBackend, match=r"no backend “nope”\. Known are: .*fake"):
        get("nope")


def test_third_parties_register_by_path_or_class() -> None:
    registry.register_all({"mine": "imagepipe.generation.backends.fake:FakeBackend"})
    register("also-mine", FakeBackend)
    assert isinstance(get("mine"), FakeBackend)
    assert isinstance(get("also-mine"), FakeBackend)


def test_registering_again_replaces_the_instance() -> None:
    first = get("fake")
    register("fake", FakeBackend)
    assert get("fake") is not first


def test_unknown_options_and_missing_software_are_explained() -> None:
    with pytest.raises(BackendUnavailable, match="“fake” is set up wrongly: .*speed"):
        get("fake", speed=3)
    register("broken", "no_such_module_here:Backend")
    with pytest.raises(BackendUnavailable, match="no_such_module_here is not installed"):
        get("broken")
    with pytest.raises(ValueError, match="is not a backend name"):
        register("a/b", FakeBackend)


def test_entry_points_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "plugged"
        value = "imagepipe.generation.backends.fake:FakeBackend"

    monkeypatch.setattr(registry, "_discovered", False)
    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()])
    assert "plugged" in available()
    assert isinstance(get("plugged"), FakeBackend)


def test_listing_and_the_fake_import_neither_django_nor_torch() -> None:
    code = (
        "import sys; from imagepipe.generation.backends import available, get; available();"
        "get('fake'); get('diffusers');"
        "print(sorted({'torch', 'diffusers', 'django'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
