"""What adapters leave behind: nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagepipe.generation.backends.diffusers import DiffusersBackend
from imagepipe.generation.exceptions import Cancelled, InvalidModel, UnsafeModel
from imagepipe.generation.recording import build_recipe
from imagepipe.generation.request import Adapter, ModelReference, Reference, Request
from imagepipe.generation.weights import content_sha256
from tests.contracts.backend_suite_case import Recorder, scene
from tests.generation.tiny_companions import conditions

REQUEST = Request("a red apple", "tiny", 7, 48, 48, steps=2)


@pytest.fixture
def backend() -> DiffusersBackend:
    return DiffusersBackend()


@pytest.fixture
def model(tiny_model: Path) -> ModelReference:
    return ModelReference("tiny", str(tiny_model))


def state(backend: DiffusersBackend, model: ModelReference) -> dict[str, Any]:
    """Every weight of the shared modules, by name, and what else adapters change."""
    base = backend._models.pipeline(model).base
    found: dict[str, Any] = {
        f"{part}.{name}": tensor.clone()
        for part in ("unet", "text_encoder", "vae")
        for name, tensor in getattr(base, part).state_dict().items()
    }
    found["processors"] = {
        name: type(processor) for name, processor in base.unet.attn_processors.items()
    }
    found["tokens"] = len(base.tokenizer)
    found["modules"] = [type(module).__name__ for module in base.unet.modules()]
    found["encoder"] = (base.image_encoder, base.unet.encoder_hid_proj)
    return found


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    import torch

    return first.keys() == second.keys() and all(
        torch.equal(value, second[name])
        if isinstance(value, torch.Tensor)
        else value == second[name]
        for name, value in first.items()
    )


def everything(folder: Path) -> Request:
    given = conditions(folder)
    return replace(REQUEST, prompt="a red apple <mine>", **given)


def test_all_at_once_restore_the_base_bit_by_bit(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    backend.warm_up(model)
    before = state(backend, model)

    first = backend.generate(everything(tiny_companions), model)
    again = backend.generate(everything(tiny_companions), model)

    assert first.png == again.png
    assert same(before, state(backend, model))


def test_a_cancelled_job_leaves_nothing(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    backend.warm_up(model)
    before = state(backend, model)
    with pytest.raises(Cancelled):
        backend.generate(everything(tiny_companions), model, Recorder(cancel_after=1))
    assert same(before, state(backend, model))


def test_an_adapter_of_another_model_is_refused_and_leaves_nothing(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path, tmp_path: Path
) -> None:
    from tests.generation.tiny_companions import write_embedding

    pastel = Path(__file__).parents[2] / "fixtures/models/pocket-pastel"
    write_embedding(99, tmp_path / "wide")
    backend.warm_up(model)
    before = state(backend, model)
    good = Adapter("style", str(tiny_companions / "lora"))
    for adapter in (
        Adapter("pastel", str(pastel)),
        Adapter("wide", str(tmp_path / "wide"), kind="textual-inversion", token="<x>"),
        Adapter("style", str(tiny_companions / "embedding")),
        Adapter("mine", str(tiny_companions / "lora"), kind="textual-inversion"),
    ):
        with pytest.raises(InvalidModel, match=f"“{adapter.slug}” does not fit this model"):
            backend.generate(replace(REQUEST, adapters=(good, adapter)), model)
        assert same(before, state(backend, model)), adapter.slug


def test_jobs_with_different_adapters_in_threads_equal_serial_ones(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    given = conditions(tiny_companions)
    style, other, mine = given["adapters"]
    jobs = [
        replace(REQUEST, adapters=(style,), scheduler="EulerDiscreteScheduler", steps=4),
        replace(REQUEST, adapters=(other, mine), prompt="x <mine>", steps=3),
        replace(REQUEST, references=given["references"], scheduler="UniPCMultistepScheduler"),
        replace(REQUEST, adapters=(style, other), scheduler="DDPMScheduler", steps=4),
        REQUEST,
    ]
    serial = [backend.generate(job, model).png for job in jobs]
    assert len(set(serial)) == len(jobs)
    found: dict[int, bytes] = {}

    def work(number: int) -> None:
        found[number] = backend.generate(jobs[number], model).png

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.get(number) for number in range(len(jobs))] == serial


def test_the_order_of_loras_is_free_and_weight_nought_is_none(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    style, other, _ = conditions(tiny_companions)["adapters"]
    base = backend.generate(REQUEST, model).png
    none = replace(REQUEST, adapters=(replace(style, weight=0.0), replace(other, weight=0.0)))
    assert backend.generate(none, model).png == base
    only = backend.generate(replace(REQUEST, adapters=(style,)), model).png
    both = backend.generate(replace(REQUEST, adapters=(style, other)), model).png
    assert len({base, only, both}) == 3


def test_the_recipe_names_the_content_of_each(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    request = everything(tiny_companions)
    recipe = build_recipe(request, model, backend.generate(request, model))

    folders = ("lora", "other-lora", "embedding", "controlnet", "controlnet")
    hashes = [content_sha256(tiny_companions / name) for name in folders]
    assert [facts.sha256 for facts in recipe.adapters[:5]] == hashes
    reference = dict(recipe.adapters[5].parameters)
    assert reference["model_sha256"] == content_sha256(tiny_companions / "ip-adapter")
    assert dict(recipe.adapters[2].parameters)["token"] == "<mine>"


def test_changed_or_unsafe_companions_are_refused(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path, tmp_path: Path
) -> None:
    changed = Adapter("style", str(tiny_companions / "lora"), sha256="ab" * 32)
    with pytest.raises(UnsafeModel, match="“style” have changed"):
        backend.generate(replace(REQUEST, adapters=(changed,)), model)
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "lora.bin").write_bytes(b"x")
    with pytest.raises(UnsafeModel, match="not safetensors"):
        backend.generate(
            replace(REQUEST, adapters=(Adapter("bad", str(tmp_path / "pickled")),)), model
        )


def test_references_need_one_reader(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    reference = conditions(tiny_companions)["references"][0]
    two = (reference, replace(reference, image=scene(30, 30, (9, 200, 9))))
    one = backend.generate(replace(REQUEST, references=(reference,)), model).png
    assert backend.generate(replace(REQUEST, references=two), model).png != one
    for broken, message in (
        ((Reference(scene(8, 8)),), "need an IP-Adapter"),
        ((reference, replace(reference, weight=0.1)), "one weight"),
    ):
        with pytest.raises(Exception, match=message):
            backend.generate(replace(REQUEST, references=broken), model)


def test_a_word_that_is_not_in_the_prompt_is_reported(
    backend: DiffusersBackend, model: ModelReference, tiny_companions: Path
) -> None:
    mine = conditions(tiny_companions)["adapters"][2]
    result = backend.generate(replace(REQUEST, adapters=(mine,)), model)
    assert result.warnings == (
        "The word “<mine>” of the embedding “mine” is not in the prompt.",
    )
