"""Registering by a hub's id: what may be fetched, and that only that is."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from imagepipe.audit.models import AuditEvent
from imagepipe.registry import hub
from imagepipe.registry.models import RegisteredModel
from tests.registry.hub_server import COMMIT, Hub, running_hub
from tests.registry.model_folders import checkpoint

ID = "someone/small-objects"
pytestmark = pytest.mark.django_db


@pytest.fixture
def server(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    source = tmp_path / "source"
    checkpoint(source)
    files = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for path in source.rglob("*")
        if path.is_file()
    }
    index = b'{"_class_name": "StableDiffusionPipeline", "unet": ["d", "U"], "vae": ["d", "V"]}'
    files |= {
        "model_index.json": index,
        "README.md": b"---\nlicense: mit\n---\n# Small objects",
        "pipeline.py": b"raise SystemExit",
        "unet/diffusion_pytorch_model.bin": b"pickle",
        "all-in-one.safetensors": b"x" * 100,
        "onnx/model.safetensors": b"x",
    }
    with running_hub() as found:
        found.models[ID] = files
        found.card_data[ID] = {"license": "mit", "license_link": "https://example.org/mit"}
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        # Workers are offline when they load models; that must not reach the download.
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        settings.IMAGEPIPE = settings.IMAGEPIPE | {
            "HUB_MODELS": ["someone/*"],
            "HUB_FOLDER": tmp_path / "cache",
        }
        yield found


def register(*options: str) -> str:
    output = io.StringIO()
    call_command("imagepipe", "register-model", *options, stdout=output, stderr=io.StringIO())
    return output.getvalue()


def test_an_id_is_fetched_at_its_commit_and_registered_as_its_card_says(
    server: Hub, tmp_path: Path
):
    said = register(ID)
    model = RegisteredModel.objects.get()
    assert (model.slug, model.licence) == ("small-objects", "mit")
    assert model.licence_url == "https://example.org/mit"
    assert model.card.endswith("# Small objects")
    assert model.state == RegisteredModel.State.REGISTERED
    folder = Path(model.location)
    assert folder.is_relative_to(tmp_path / "cache") and folder.name == COMMIT
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == {
        "README.md",
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
    }
    assert f"from {ID}@{COMMIT}, licence mit" in said
    assert AuditEvent.objects.get().data["source"] == f"{ID}@{COMMIT}"
    assert not [asked for asked in server.asked if "/resolve/main/" in asked]
    weights = [asked for asked in server.asked if asked.endswith(".safetensors")]
    register(ID)
    assert RegisteredModel.objects.count() == 1
    assert [asked for asked in server.asked if asked.endswith(".safetensors")] == weights


def test_what_the_settings_do_not_name_is_refused_before_anything_is_asked(
    server: Hub, settings: Any
):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"HUB_MODELS": ["other/*"]}
    with pytest.raises(CommandError, match="HUB_MODELS does not name it"):
        register(ID)
    assert not server.asked
    assert not RegisteredModel.objects.exists()


def test_a_model_without_a_licence_in_its_card_needs_one_said(server: Hub):
    server.card_data.clear()
    with pytest.raises(CommandError, match="names no licence"):
        register(ID)
    assert not RegisteredModel.objects.exists()


def test_what_the_hub_refuses_is_said(server: Hub, settings: Any):
    for id, options, message in (
        ("someone/missing", (), "there is no such model"),
        (ID, ("--revision", "v9"), "does not have this revision"),
        (ID, ("--revision", "../x"), "is no revision"),
        (ID, ("--variant", "no way"), "is no variant"),
    ):
        with pytest.raises(CommandError, match=message):
            register(id, *options)
    server.models["someone/broken"] = server.models[ID] | {"model_index.json": b"{" * 10}
    with pytest.raises(CommandError, match="model_index.json cannot be read"):
        register("someone/broken")
    server.gated.add(ID)
    with pytest.raises(CommandError, match="conditions have to be accepted"):
        register(ID)
    server.gated.clear()
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"HUB_MAX_BYTES": 10}
    with pytest.raises(CommandError, match="HUB_MAX_BYTES allows 10"):
        register(ID)


def test_code_in_a_configuration_is_refused_after_fetching(server: Hub):
    server.models[ID]["unet/config.json"] = b'{"auto_map": {"AutoModel": "evil.Model"}}'
    with pytest.raises(CommandError, match="names code of its own"):
        register(ID)
    assert not RegisteredModel.objects.exists()


def test_a_download_ends_at_once_when_it_is_stopped(server: Hub):
    server.hold = threading.Event()
    found = hub.look_up(ID, "v1")
    assert found.commit == COMMIT

    class Stopped(Exception):
        pass

    def stop(there: int, total: int) -> None:
        assert 0 <= there <= total == found.byte_count
        if any(asked.endswith(".safetensors") for asked in server.asked):
            raise Stopped

    with pytest.raises(Stopped):
        hub.fetch(found, stop)
    server.hold.set()
    assert (hub.fetch(found) / "model_index.json").is_file()
