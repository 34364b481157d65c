from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from imagepipe.audit import trail
from imagepipe.audit.models import AuditEvent
from imagepipe.exceptions import InvalidState
from imagepipe.registry.actions import (
    InvalidModelEntry,
    PromoteModel,
    RegisterModel,
    RetireModel,
)
from imagepipe.registry.description import describe, family_of
from imagepipe.registry.folders import UnusableFolder, content_sha256
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from tests.registry.model_folders import checkpoint, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "My Model"
    checkpoint(folder)
    return folder


def new_model(**values: object) -> RegisteredModel:
    return RegisteredModel(
        **({"slug": "m", "name": "M", "location": "/m", "licence": "MIT"} | values)
    )


def test_a_folder_is_described(folder: Path):
    facts = describe(folder)
    assert (facts.kind, facts.family) == (Kind.CHECKPOINT, "sd")
    assert facts.native_side == 128
    assert facts.sha256 == content_sha256(folder)
    assert facts.byte_count == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def test_the_content_hash_follows_weights_and_names_only(folder: Path):
    before = content_sha256(folder)
    write(folder, "README.md", b"words")
    write(folder, ".cache/x.json", {})
    assert content_sha256(folder) == before
    write(folder, "unet/diffusion_pytorch_model.safetensors", b"other weights")
    changed = content_sha256(folder)
    assert changed != before
    (folder / "unet").rename(folder / "unet2")
    assert content_sha256(folder) not in (before, changed)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("unet/model.bin", b"x", "unet/model.bin is not safetensors"),
        ("vae/x.ckpt", b"x", "vae/x.ckpt is not safetensors"),
        ("unet/evil.py", b"x", "holds code"),
        ("model_index.json", b"{", "model_index.json cannot be read"),
        ("model_index.json", [], "is not a configuration"),
        ("model_index.json", {}, "does not name a pipeline"),
        ("model_index.json", {"_class_name": "os.system('x')"}, "does not name a pipeline"),
        ("vae/config.json", b"[" * 100_000, "config.json cannot be read"),
    ],
)
def test_unusable_folders_say_why(folder: Path, name: str, content: object, message: str):
    write(folder, name, content)
    with pytest.raises(UnusableFolder, match=message):
        describe(folder)


def test_a_folder_without_index_or_weights_is_refused(tmp_path: Path, folder: Path):
    with pytest.raises(UnusableFolder, match="There is no folder"):
        describe(tmp_path / "nowhere")
    with pytest.raises(UnusableFolder, match="cannot be told from its files"):
        describe(tmp_path)
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(UnusableFolder, match="holds no weights"):
        describe(folder)


@pytest.mark.parametrize(
    ("pipeline", "family"),
    [
        ("StableDiffusionXLPipeline", "sdxl"), ("StableDiffusion3Pipeline", "sd3"),
        ("StableDiffusionPipeline", "sd"), ("FluxPipeline", "flux"),
        ("OddPipeline", "oddpipeline"),
    ],
)  # fmt: skip
def test_families(pipeline: str, family: str):
    assert family_of(pipeline) == family


@pytest.mark.django_db
def test_a_model_goes_from_registered_to_allowed_to_retired_with_an_audit_trail():
    model = RegisterModel(new_model(state="allowed"), None).execute()
    assert model.state == RegisteredModel.State.REGISTERED
    assert PromoteModel(model, None).execute().state == RegisteredModel.State.ALLOWED
    with pytest.raises(InvalidState, match="cannot become"):
        PromoteModel(model, None).execute()
    assert RetireModel(model, None).execute().state == RegisteredModel.State.RETIRED
    chain = f"registeredmodel:{model.pk}"
    actions = AuditEvent.objects.filter(chain=chain).values_list("action", flat=True)
    assert list(actions) == [
        "imagepipe.model.register", "imagepipe.model.promote", "imagepipe.model.retire",
    ]  # fmt: skip
    assert trail.verify_chain(chain) is None


@pytest.mark.django_db
def test_promotion_needs_its_own_permission():
    model = RegisterModel(new_model(), None).execute()
    user = User.objects.create_user("u")
    user.user_permissions.add(
        *Permission.objects.filter(
            codename__in=["add_registeredmodel", "change_registeredmodel"]
        )
    )
    for action in (PromoteModel, RetireModel):
        with pytest.raises(PermissionDenied):
            action(model, User.objects.get(pk=user.pk)).execute()
    model.refresh_from_db()
    assert model.state == RegisteredModel.State.REGISTERED
    user.user_permissions.add(Permission.objects.get(codename="promote_registeredmodel"))
    PromoteModel(model, User.objects.get(pk=user.pk)).execute()
    with pytest.raises(PermissionDenied):
        RegisterModel(new_model(slug="n"), User.objects.create_user("v")).execute()


@pytest.mark.django_db
def test_a_malformed_or_repeated_entry_is_refused():
    RegisterModel(new_model(), None).execute()
    with pytest.raises(InvalidModelEntry, match="slug"):
        RegisterModel(new_model(), None).execute()
    with pytest.raises(InvalidModelEntry, match="licence"):
        RegisterModel(new_model(slug="n", licence=""), None).execute()


@pytest.mark.django_db
def test_the_command_registers_once_and_says_what(folder: Path):
    for _ in range(2):
        output = io.StringIO()
        call_command(
            "imagepipe",
            "register-model",
            str(folder),
            "--licence",
            "MIT",
            "--allow",
            stdout=output,
        )
    model = RegisteredModel.objects.get()
    assert (model.slug, model.name, model.state) == ("my-model", "My Model", "allowed")
    assert (model.native_width, model.family, model.sha256) == (
        128,
        "sd",
        content_sha256(folder),
    )
    assert "my-model (Checkpoint, sd, 128×128, " in output.getvalue()


@pytest.mark.django_db
def test_the_command_refuses_unsafe_folders_with_a_sentence(folder: Path):
    write(folder, "unet/model.bin", b"x")
    with pytest.raises(CommandError, match="is not safetensors"):
        call_command("imagepipe", "register-model", str(folder), "--licence", "MIT")
    assert not RegisteredModel.objects.exists()
