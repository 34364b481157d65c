"""The form that registers models: a run reads the files, and nothing else is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from imagepipe.audit.models import AuditEvent
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.sentences import in_reader_language
from imagepipe.workflow.actions import RetryRun
from imagepipe.workflow.models import Run, RunState
from tests.registry.hub_server import COMMIT, running_hub
from tests.registry.model_folders import embedding, lora, write

FORM = reverse("imagepipe_admin:model_register")
LISTING = reverse("imagepipe_admin:models")
pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(tmp_path: Path, settings: Any) -> Path:
    """A folder of models; one of them is not a model."""
    shelf = tmp_path / "shelf"
    lora(shelf / "pastel")
    write(shelf / "words", "notes.txt", b"words")
    embedding(tmp_path / "elsewhere")
    (shelf / "way-out").symlink_to(tmp_path / "elsewhere")
    settings.IMAGEPIPE = settings.IMAGEPIPE | {
        "MODEL_FOLDERS": [shelf], "HUB_FOLDER": tmp_path / "hub",
    }  # fmt: skip
    return shelf


def ask(client: Client, source: object, **values: str) -> Run:
    response = client.post(FORM, {"source": str(source), "licence": "MIT"} | values)
    assert response.status_code == 302, response.context["form"].errors
    return Run.objects.latest("pk")


def test_a_folder_is_registered_by_a_worker(
    admin: Client, editor: User, shelf: Path, finish: Callable[[Run], Run]
):
    run = ask(admin, shelf / "pastel", name="Pastel", family="sd")
    assert not RegisteredModel.objects.exists()
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid]))
    assert page.status_code == 200
    run = finish(run)
    assert run.state == RunState.SUCCEEDED, run.error
    model = RegisteredModel.objects.get()
    assert (model.slug, model.kind, model.family) == ("pastel", "lora", "sd")
    assert (model.licence, model.state) == ("MIT", "registered")
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid]))
    assert "The model is registered" in page.content.decode()
    asked, entered = AuditEvent.objects.filter(action__startswith="imagepipe.model.")
    assert (asked.action, asked.actor) == ("imagepipe.model.import", editor)
    assert (entered.action, entered.actor) == ("imagepipe.model.register", editor)
    again = finish(ask(admin, shelf / "pastel", name="Pastel", family="sd"))
    assert again.state == RunState.SUCCEEDED
    assert RegisteredModel.objects.count() == 1


def test_a_model_of_a_hub_is_registered_by_a_worker(
    admin: Client, shelf: Path, finish: Callable[[Run], Run], monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("huggingface_hub")
    content = (shelf / "pastel/pytorch_lora_weights.safetensors").read_bytes()
    with running_hub() as server:
        server.models["someone/pastel"] = {"pytorch_lora_weights.safetensors": content}
        server.card_data["someone/pastel"] = {"license": "mit"}
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        run = finish(ask(admin, "someone/pastel", licence=""))
    assert run.state == RunState.SUCCEEDED, run.error
    model = RegisteredModel.objects.get()
    assert (model.slug, model.licence) == ("pastel", "mit")
    assert Path(model.location).name == COMMIT


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/etc", "not below one that the setting MODEL_FOLDERS names"),
        ("{shelf}", "not below one"),
        ("{shelf}/../elsewhere", "not below one"),
        ("{shelf}/way-out", "not below one"),
        ("other/model", "HUB_MODELS does not name it"),
        ("pastel", "no id of a model on a hub"),
        ("../shelf/pastel", "no id of a model on a hub"),
    ],
)
def test_other_places_are_refused(admin: Client, shelf: Path, source: str, message: str):
    response = admin.post(FORM, {"source": source.format(shelf=shelf), "licence": "MIT"})
    assert response.status_code == 422
    assert message in str(response.context["form"].errors["source"])
    assert not Run.objects.exists()


def test_a_folder_needs_a_licence(admin: Client, shelf: Path):
    response = admin.post(FORM, {"source": str(shelf / "pastel")})
    assert "Say under which licence" in str(response.context["form"].errors["licence"])


def test_what_is_no_model_ends_the_run_with_a_sentence_and_may_be_tried_again(
    admin: Client, editor: User, shelf: Path, finish: Callable[[Run], Run]
):
    run = finish(ask(admin, shelf / "words"))
    assert run.state == RunState.FAILED
    assert "holds no weights" in run.error
    assert in_reader_language(run.error) == run.error
    with override("de"):
        assert "enthält keine Gewichte" in in_reader_language(run.error)
    lora(shelf / "words")
    repeated = finish(RetryRun(run, editor).execute())
    assert repeated.state == RunState.SUCCEEDED, repeated.error


def test_who_lost_the_right_meanwhile_registers_nothing(
    browse: Any, person: Any, shelf: Path, finish: Callable[[Run], Run]
):
    ann = person("ann", "generate")
    right = Permission.objects.get(codename="add_registeredmodel")
    ann.user_permissions.add(right)
    run = ask(browse(ann), shelf / "pastel")
    ann.user_permissions.remove(right)
    run = finish(run)
    assert (run.state, run.error_code) == (RunState.FAILED, "not-permitted")
    assert not RegisteredModel.objects.exists()


def test_only_those_who_may_register_see_the_form_and_the_button(
    browse: Any, person: Any, admin: Client, shelf: Path
):
    other = browse(person("eve", "generate", "review"))
    assert other.get(FORM).url == reverse("wagtailadmin_home")
    assert other.post(FORM, {"source": "x"}).url == reverse("wagtailadmin_home")
    assert FORM not in other.get(LISTING).content.decode()
    assert FORM in admin.get(LISTING).content.decode()
    assert str(shelf) in admin.get(FORM).content.decode()


def test_without_places_the_page_says_what_to_set(admin: Client, settings: Any):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"MODEL_FOLDERS": [], "HUB_MODELS": []}
    page = admin.get(FORM).content.decode()
    assert "MODEL_FOLDERS" in page
    assert 'name="source"' not in page
