"""What the diffusers backend refuses to load, and what it records."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from imagepipe.generation import weights
from imagepipe.generation.backends.diffusers import DiffusersBackend
from imagepipe.generation.exceptions import (
    InvalidModel,
    ModelNotFound,
    OutOfMemory,
    UnsafeModel,
    UnsupportedRequest,
)
from imagepipe.generation.pipelines import LoadedPipeline
from imagepipe.generation.request import ModelReference, Request

REQUEST = Request("a red apple", "tiny", 7, 64, 64, steps=3)


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def generate(location: Path | str, request: Request = REQUEST) -> object:
    return DiffusersBackend().generate(request, ModelReference("tiny", str(location)))


def test_missing_folder_is_named() -> None:
    with pytest.raises(
        ModelNotFound, match="The model folder “/no/such/folder” does not exist"
    ):
        generate("/no/such/folder")


@pytest.mark.parametrize("location", ["", "x\0y", "../..", "a/b/c", "https://example.com/x"])
def test_odd_locations_are_not_found(location: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path / "..")
    with pytest.raises((ModelNotFound, InvalidModel)):
        generate(location)


def test_hub_id_is_looked_up_locally_only() -> None:
    with pytest.raises(ModelNotFound, match="local cache does not have it"):
        generate("some-organisation/some-model")


def test_pickled_weights_are_refused(copy: Path) -> None:
    import torch
    from safetensors.torch import load_file

    source = copy / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(source), source.with_suffix(".bin"))
    source.unlink()

    with pytest.raises(
        UnsafeModel, match=r"unet/diffusion_pytorch_model\.bin are not safetens"
    ):
        generate(copy)


@pytest.mark.parametrize("name", ["pipeline.py", "unet/my_unet.py"])
def test_code_in_the_folder_is_refused(copy: Path, name: str) -> None:
    (copy / name).write_text("raise SystemExit('code ran')")
    with pytest.raises(UnsafeModel, match="brings its own code"):
        generate(copy)


def test_index_that_names_system_functions_is_refused(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"unet": ["os", "system"]}))
    with pytest.raises(InvalidModel, match="cannot be loaded"):
        generate(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "[" * 100_000])
def test_broken_index_is_refused(copy: Path, content: str) -> None:
    (copy / "model_index.json").write_text(content)
    with pytest.raises(InvalidModel):
        generate(copy)


def test_empty_folder_and_missing_weights_are_refused(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidModel, match=r"model_index\.json is missing"):
        generate(tmp_path / "empty")
    for path in copy.rglob("*.safetensors"):
        path.unlink()
    with pytest.raises(InvalidModel, match="holds no weights"):
        generate(copy)


def test_truncated_weights_are_refused(copy: Path) -> None:
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InvalidModel, match="cannot be loaded"):
        generate(copy)


def test_changed_content_is_refused_when_a_hash_is_expected(copy: Path) -> None:
    expected = weights.content_sha256(copy)
    model = ModelReference("tiny", str(copy), sha256=expected)
    backend = DiffusersBackend()

    assert backend.generate(REQUEST, model).environment.model_sha256 == expected

    config = copy / "unet" / "config.json"
    config.write_text(config.read_text() + "\n")
    with pytest.raises(UnsafeModel, match="have changed since it was registered"):
        backend.generate(REQUEST, model)


def test_content_hash_sees_names_and_bytes_but_not_places(tiny_model: Path, copy: Path) -> None:
    original = weights.content_sha256(tiny_model)
    assert weights.content_sha256(copy) == original

    (copy / "README.md").write_text("not part of it")
    (copy / ".cache").mkdir()
    (copy / ".cache" / "x.json").write_text("{}")
    assert weights.content_sha256(copy) == original

    (copy / "scheduler" / "scheduler_config.json").rename(copy / "scheduler" / "other.json")
    assert weights.content_sha256(copy) != original


def test_capabilities_come_from_the_configuration(tiny_model: Path) -> None:
    model = ModelReference("tiny", str(tiny_model))
    capabilities = DiffusersBackend().capabilities(model)

    assert capabilities.native_sizes == ((64, 64),)
    assert capabilities.size_multiple == 8
    assert capabilities.max_prompt_tokens == 75
    assert capabilities.supports_guidance_rescale is True
    assert "DDIMScheduler" in capabilities.schedulers


@pytest.mark.parametrize("scheduler", [None, "EulerDiscreteScheduler"])
def test_decoder_of_another_class_is_kept(tmp_path: Path, scheduler: str | None) -> None:
    from tests.generation.tiny_model import build_tiny_model

    folder = build_tiny_model(tmp_path, small_decoder=True)
    result = generate(folder, replace(REQUEST, scheduler=scheduler))
    assert result.image().size == (64, 64)


def test_size_that_is_no_multiple_is_refused_not_corrected(tiny_model: Path) -> None:
    with pytest.raises(UnsupportedRequest, match="multiples of 8"):
        generate(tiny_model, replace(REQUEST, width=60))


def test_a_prompt_that_is_too_long_for_the_model_is_reported(tiny_model: Path) -> None:
    result = generate(tiny_model, replace(REQUEST, prompt="apple " * 100))
    assert result.warnings == (
        "The model reads 75 tokens; the prompt has 500, so its end was ignored.",
    )


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory_says_what_to_do(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Hungry:
        scheduler = None

        def __call__(self, **options: object) -> object:
            raise error

    monkeypatch.setattr(LoadedPipeline, "for_job", lambda self, *arguments: Hungry())
    with pytest.raises(OutOfMemory, match="not enough memory for 64×64. Choose a smaller size"):
        generate(tiny_model)


def test_models_beyond_the_budget_leave_the_memory(tiny_model: Path, copy: Path) -> None:
    config = copy / "unet" / "config.json"
    config.write_text(config.read_text() + "\n")
    one = DiffusersBackend()
    one.warm_up(ModelReference("tiny", str(tiny_model)))
    size = one._cache.held
    for budget, left in ((size * 5 // 4, 1), (size * 4, 2), (0, 1)):
        backend = DiffusersBackend(memory=budget)
        for location in (tiny_model, copy, tiny_model):
            backend.warm_up(ModelReference("tiny", str(location)))
        assert len(backend._cache) == left
        assert backend._cache.held == left * size


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "int4"},
        {"threads": 0},
        {"memory": -1},
        {"preview_every": -1},
        {"offload": "model"},
        {"offload": "disk"},
        {"attention": "no"},
    ],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        DiffusersBackend(**options)
