"""What each kind of model folder must hold, and what is refused."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from imagepipe.audit.models import AuditEvent
from imagepipe.registry.actions import InvalidModelEntry, RegisterModel
from imagepipe.registry.description import describe
from imagepipe.registry.folders import UnusableFolder
from imagepipe.registry.kinds import MAX_BYTES, Kind
from imagepipe.registry.models import KIND_NAMES, RegisteredModel
from tests.registry.model_folders import (
    CLIP_CONFIG,
    CLIP_TENSORS,
    MAKERS,
    safetensors,
    with_header,
    write,
)

MODELS = Path(__file__).parents[2] / "fixtures/models"
SHIPPED = {
    "pocket-objects": (Kind.CHECKPOINT, "sd", 128),
    "pocket-clip": (Kind.CLIP, "clip", 128),
    "pocket-canny": (Kind.CONTROLNET, "sd", None),
    "pocket-pastel": (Kind.LORA, "", None),
    "pocket-mint": (Kind.EMBEDDING, "", None),
}
LORA = "pytorch_lora_weights.safetensors"
DOWN, UP = "a.lora_A.weight", "a.lora_B.weight"


def register(folder: Path, *options: str) -> str:
    output = io.StringIO()
    call_command(
        "imagepipe", "register-model", str(folder), "--licence", "MIT", *options, stdout=output
    )
    return output.getvalue()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_models_are_recognised(name: str) -> None:
    facts = describe(MODELS / name)
    assert (facts.kind, facts.family, facts.native_side) == SHIPPED[name]
    assert describe(MODELS / name, facts.kind) == facts


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("kind", Kind)
def test_no_shipped_model_passes_for_another_kind(name: str, kind: Kind) -> None:
    if kind is not SHIPPED[name][0]:
        with pytest.raises(UnusableFolder):
            describe(MODELS / name, kind)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_folder_of_each_kind_is_recognised(kind: str, tmp_path: Path) -> None:
    MAKERS[kind](tmp_path)
    assert describe(tmp_path).kind == kind


@pytest.mark.parametrize(
    ("configuration", "family"),
    [
        ({"_class_name": "ControlNetModel", "addition_embed_type": "text_time"}, "sdxl"),
        ({"_class_name": "ControlNetUnionModel"}, "sdxl"),
        ({"_class_name": "FluxControlNetModel"}, "flux"),
        ({"_class_name": "SD3ControlNetModel"}, "sd3"),
        ({"_class_name": "HunyuanDiT2DControlNetModel"}, ""),
    ],
)
def test_the_family_of_a_controlnet(
    tmp_path: Path, configuration: dict[str, str], family: str
) -> None:
    MAKERS["controlnet"](tmp_path)
    write(tmp_path, "config.json", configuration)
    assert describe(tmp_path).family == family


@pytest.mark.parametrize(
    "names",
    [
        ("x.lora_down.weight", "x.lora_up.weight"),
        ("to_q_lora.down.weight", "to_q_lora.up.weight"),
        ("text_encoder.q.lora.down.weight", "text_encoder.q.lora.up.weight"),
    ],
)
def test_older_names_in_a_lora(tmp_path: Path, names: tuple[str, str]) -> None:
    write(tmp_path, "any.safetensors", safetensors({names[0]: (4, 8), names[1]: (8, 4)}))
    assert describe(tmp_path).kind is Kind.LORA


@pytest.mark.parametrize(
    ("kind", "name", "content", "message"),
    [
        ("controlnet", "x.bin", b"x", "not safetensors"),
        ("lora", "pytorch_lora_weights.bin", b"x", "not safetensors"),
        ("embedding", "learned_embeds.pt", b"x", "not safetensors"),
        ("clip", "pytorch_model.BIN", b"x", "not safetensors"),
        ("clip", "modeling.py", b"x", "holds code"),
        ("clip", "config.json", CLIP_CONFIG | {"auto_map": {"A": "m.B"}}, "code of its own"),
        ("clip", "tokenizer_config.json", {"x": [{"auto_map": ["m.B"]}]}, "code of its own"),
        ("checkpoint", "vae/config.json", {"auto_map": {"A": "m.B"}}, "code of its own"),
        ("checkpoint", "model_index.json", {"_class_name": "P", "../x": 1}, "no plain folder"),
        ("lora", "adapter_config.json", {"auto_mapping": {"a": "os"}}, "code of its own"),
        ("lora", "other.safetensors", safetensors({"<t>": (64,)}), "exactly one"),
        ("lora", LORA, safetensors({DOWN: (2, 8), UP: (8, 3)}), "not those of a LoRA"),
        ("lora", LORA, safetensors({DOWN: (2, 8)}), "not those of a LoRA"),
        ("lora", LORA, safetensors({DOWN: (2, 8), UP: (8, 2)}, "I64"), "not those of a LoRA"),
        (
            "lora",
            LORA,
            safetensors({DOWN: (2, 8), UP: (8, 2), "a": (1,), "b": (1,), "c": (1,)}),
            "not those of a LoRA",
        ),
        ("embedding", "model_index.json", {"_class_name": "P"}, "whole pipeline"),
        ("embedding", "deep/x.safetensors", safetensors({"<t>": (64,)}), "exactly one"),
        (
            "embedding",
            "learned_embeds.safetensors",
            safetensors({"conv.weight": (1, 128)}),
            "not those of an embedding",
        ),
        (
            "embedding",
            "learned_embeds.safetensors",
            safetensors({"\x1b[2J": (1, 128)}),
            "not those of an embedding",
        ),
        (
            "embedding",
            "learned_embeds.safetensors",
            safetensors({"<t>": (2, 2, 128)}),
            "not those of an embedding",
        ),
        ("controlnet", "config.json", {"_class_name": "UNet2DModel"}, "name a ControlNet"),
        ("controlnet", "config.json", {"_class_name": ["ControlNet"]}, "name a ControlNet"),
        ("controlnet", "config.json", b" " * (4 * 1024**2 + 1), "too large"),
        ("controlnet", "sub/diffusion_pytorch_model.safetensors", safetensors({}), "belong to"),
        (
            "controlnet",
            "diffusion_pytorch_model.safetensors",
            safetensors({"conv.weight": (4, 4)}),
            "not those of a ControlNet",
        ),
        ("clip", "config.json", CLIP_CONFIG | {"model_type": "bert"}, "describe a CLIP"),
        ("clip", "config.json", CLIP_CONFIG | {"projection_dim": [16]}, "of the CLIP in"),
        ("clip", "config.json", CLIP_CONFIG | {"vision_config": 7}, "how large"),
        ("clip", "more.safetensors", safetensors({}), "nowhere else"),
        (
            "clip",
            "model.safetensors",
            safetensors({n: s for n, s in CLIP_TENSORS.items() if "vision" not in n}),
            "not those of the CLIP",
        ),
    ],
)
def test_what_does_not_belong_to_the_kind_is_refused(
    tmp_path: Path, kind: str, name: str, content: object, message: str
) -> None:
    MAKERS[kind](tmp_path)
    write(tmp_path, name, content)
    with pytest.raises(UnusableFolder, match=message):
        describe(tmp_path, Kind(kind))


@pytest.mark.parametrize("name", ["tokenizer.json", "preprocessor_config.json"])
def test_a_clip_without_its_parts_is_refused(tmp_path: Path, name: str) -> None:
    MAKERS["clip"](tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(UnusableFolder, match="missing"):
        describe(tmp_path)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\x80\x04\x95" + b"pickle" * 20,
        (2**63).to_bytes(8, "little") + b"{}",
        with_header(b"[" * 50_000, 0),
        with_header(b'{"a": 1, "a": 2}', 0),
        with_header([], 0),
        with_header({"a": {"dtype": "F16", "shape": [2], "data_offsets": [0, 2]}}, 2),
        with_header({"a": {"dtype": "F16", "shape": [1], "data_offsets": [2, 4]}}, 4),
        with_header({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}, 1),
        with_header({"a": {"dtype": "F16", "shape": [-1], "data_offsets": [0, 2]}}, 2),
        with_header({"a": {"dtype": "F16", "shape": [2**60], "data_offsets": [0, 2]}}, 2),
        with_header({"a": {"dtype": "F16", "shape": "1", "data_offsets": [0, 2, 4]}}, 2),
    ],
)
def test_damaged_weights_are_refused(tmp_path: Path, kind: str, damaged: bytes) -> None:
    MAKERS[kind](tmp_path)
    weights = next(tmp_path.rglob("*.safetensors"))
    weights.write_bytes(damaged)
    with pytest.raises(UnusableFolder, match="not a whole safetensors file"):
        describe(tmp_path, Kind(kind))


def test_an_embedding_is_small(tmp_path: Path) -> None:
    rows = MAX_BYTES[Kind.EMBEDDING] // (16_384 * 4) + 1
    tensor = {"dtype": "F32", "shape": [rows, 16_384], "data_offsets": [0, rows * 65_536]}
    path = tmp_path / "learned_embeds.safetensors"
    path.write_bytes(with_header({"<t>": tensor}, 0))
    os.truncate(path, path.stat().st_size + rows * 65_536)
    with pytest.raises(UnusableFolder, match="too large for the kind “embedding”"):
        describe(tmp_path)


@pytest.mark.parametrize("place", ["../secret.json", "/etc/passwd", "loop"])
def test_links_that_lead_out_are_refused(tmp_path: Path, place: str) -> None:
    write(tmp_path, "secret.json", {})
    folder = tmp_path / "model"
    MAKERS["lora"](folder)
    (folder / "loop").symlink_to(place)
    with pytest.raises(UnusableFolder, match="loop is a link"):
        describe(folder)


def test_a_linked_folder_would_escape_the_hash_and_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    MAKERS["checkpoint"](folder)
    (folder / "unet").rename(tmp_path / "unet")
    (folder / "unet").symlink_to(tmp_path / "unet")
    write(folder, "vae/diffusion_pytorch_model.safetensors", safetensors({"a": (1,)}))
    with pytest.raises(UnusableFolder, match="unet is a link"):
        describe(folder)


def test_the_cache_of_a_hub_links_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "models--a--b" / "snapshots" / "abc"
    MAKERS["checkpoint"](folder)
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    for number, path in enumerate(p for p in sorted(folder.rglob("*")) if p.is_file()):
        path.rename(blobs / str(number))
        path.symlink_to(os.path.relpath(blobs / str(number), path.parent))
    assert describe(folder).kind is Kind.CHECKPOINT


@pytest.mark.parametrize(
    ("shard", "usable"),
    [
        ("diffusion_pytorch_model.safetensors", True),
        ("../../elsewhere.safetensors", False),
        ("/etc/x.safetensors", False),
        (".hidden.safetensors", False),
        ("config.json", False),
        ("not-there.safetensors", False),
        ("a\0.safetensors", False),
    ],
)
def test_an_index_of_shards_names_files_beside_it(
    tmp_path: Path, shard: str, usable: bool
) -> None:
    folder = tmp_path / "a" / "b"
    MAKERS["controlnet"](folder)
    write(tmp_path, "elsewhere.safetensors", safetensors({"a": (1,)}))
    index = {"weight_map": {"conv_in.weight": shard}}
    write(folder, "diffusion_pytorch_model.safetensors.index.json", index)
    if usable:
        assert describe(folder).kind is Kind.CONTROLNET
    else:
        with pytest.raises(UnusableFolder, match="do not lie beside it"):
            describe(folder)


def test_where_the_files_leave_a_doubt_the_kind_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "model.safetensors", safetensors({"layer.weight": (4, 4)}))
    with pytest.raises(UnusableFolder, match="--kind: checkpoint, controlnet, lora"):
        describe(tmp_path)
    MAKERS["controlnet"](tmp_path)
    (tmp_path / "model.safetensors").unlink()
    pair = {"controlnet_x.lora_A.weight": (2, 8), "controlnet_x.lora_B.weight": (8, 2)}
    write(tmp_path, "diffusion_pytorch_model.safetensors", safetensors(pair))
    with pytest.raises(UnusableFolder, match="controlnet and lora"):
        describe(tmp_path)
    assert describe(tmp_path, Kind.CONTROLNET).kind is Kind.CONTROLNET
    assert describe(tmp_path, Kind.LORA).kind is Kind.LORA


def test_every_kind_has_a_name() -> None:
    assert [value for value, _name in KIND_NAMES] == list(Kind)


@pytest.mark.django_db
@pytest.mark.parametrize("name", SHIPPED)
def test_the_command_registers_every_kind(name: str) -> None:
    card = MODELS / name / "README.md"
    said = register(MODELS / name, "--card", str(card), "--family", "sd", "--allow")
    model = RegisteredModel.objects.get()
    facts = describe(MODELS / name)
    assert (model.slug, model.kind, model.state) == (name, facts.kind, "allowed")
    assert (model.sha256, model.family, model.licence) == (facts.sha256, "sd", "MIT")
    assert model.card == card.read_text("utf-8")
    assert model.backend == ("transformers" if facts.kind is Kind.CLIP else "diffusers")
    assert said.startswith(f"{name} ({model.get_kind_display()}, sd, ")
    assert ("×" in said) is (facts.kind is Kind.CHECKPOINT)
    register(MODELS / name, "--kind", facts.kind)
    assert RegisteredModel.objects.count() == 1
    event = AuditEvent.objects.filter(action="imagepipe.model.register").get()
    assert event.data["kind"] == facts.kind


@pytest.mark.django_db
def test_the_command_refuses_what_the_folder_is_not() -> None:
    for kind, message in (("lora", "not those of a LoRA"), ("nonsense", "invalid")):
        with pytest.raises(CommandError, match=message):
            register(MODELS / "pocket-mint", "--kind", kind)
    assert not RegisteredModel.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"x" * (1024**2 + 1), None])
def test_a_card_is_a_text_of_moderate_size(tmp_path: Path, content: bytes | None) -> None:
    card = tmp_path / "card.md"
    if content is not None:
        card.write_bytes(content)
    with pytest.raises(CommandError, match="“card.md” is no text file"):
        register(MODELS / "pocket-mint", "--card", str(card))
    assert not RegisteredModel.objects.exists()


@pytest.mark.django_db
def test_an_unknown_kind_is_no_entry() -> None:
    model = RegisteredModel(slug="m", name="M", location="/m", licence="MIT", kind="gan")
    with pytest.raises(InvalidModelEntry, match="kind"):
        RegisterModel(model, None).execute()


def test_a_deep_configuration_is_read_without_harm(tmp_path: Path) -> None:
    MAKERS["lora"](tmp_path)
    deep: object = {"auto_map": {"a": "b"}}
    for _level in range(400):
        deep = [deep]
    write(tmp_path, "adapter_config.json", json.dumps({"x": deep}).encode())
    with pytest.raises(UnusableFolder, match="code of its own"):
        describe(tmp_path)
