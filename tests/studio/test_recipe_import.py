from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from imagepipe.assets.models import Asset
from imagepipe.generation.interchange.foreign import ForeignRecipe
from imagepipe.generation.interchange.reading import read
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.imported_models import match_model
from imagepipe.workflow.models import Run
from tests.generation.interchange import samples

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/imagepipe/generate/import/"
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"


def drop(client: Client, name: str, content: bytes) -> str:
    response = client.post(ADDRESS, {"file": SimpleUploadedFile(name, content)})
    assert response.status_code == 200
    return response.content.decode()


def open_form(client: Client, page: str, **chosen: object) -> str:
    match = re.search(r'name="recipe" value="([^"]+)"', page)
    assert match is not None
    response = client.get("/admin/imagepipe/generate/", {"recipe": match[1], **chosen})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("a1111.png", "A1111"),
        ("comfyui-api.json", "ComfyUI"),
        ("invokeai.png", "InvokeAI"),
        ("swarmui.jpg", "SwarmUI"),
    ],
)
def test_a_dropped_file_fills_in_the_form(
    name: str, tool: str, admin: Client, model: RegisteredModel
) -> None:
    page = drop(admin, name, samples.all_files()[name])
    assert f"Read from {tool}" in page
    assert "is not registered here, so the picture will differ" in page
    form = open_form(admin, page, model=model.pk)
    assert re.search(r'<textarea name="prompt"[^>]*>\s*a red teapot', form)
    assert 'value="1234567890"' in form
    assert 'value="512"' in form and 'value="768"' in form
    assert f'<option value="{model.pk}" selected>' in form
    assert not Run.objects.exists()


def test_what_is_not_taken_over_is_named(admin: Client) -> None:
    page = drop(admin, "a.txt", samples.INFOTEXT.encode())
    assert "values are not taken over" in page
    for part in ("clay (0.8)", "Clip skip", "Strength", "DPM++ 2M Karras"):
        assert part in page


def test_a_text_can_be_pasted_and_nonsense_is_refused_with_words(admin: Client) -> None:
    page = admin.post(ADDRESS, {"text": samples.INFOTEXT}).content.decode()
    assert "Read from A1111" in page
    page = html.unescape(admin.post(ADDRESS, {"text": "a cat"}).content.decode())
    assert "no line that begins with “Steps: ”" in page
    page = drop(admin, "cat.png", samples.png())
    assert "There is no recipe in this file." in page
    assert "There is nothing to read." in admin.post(ADDRESS).content.decode()


def test_a_file_that_is_too_large_is_not_read(admin: Client, settings: object) -> None:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"MAX_UPLOAD_BYTES": 100}  # type: ignore[attr-defined]
    page = drop(admin, "a.txt", samples.INFOTEXT.encode())
    assert "The file is larger than 100" in page


def test_hostile_words_stay_words(admin: Client) -> None:
    text = f"{EVIL}\nSteps: 5, {EVIL}: 1, Seed: 1, Model: {EVIL}"
    page = admin.post(ADDRESS, {"text": text}).content.decode()
    assert "Read from A1111" in page
    assert "<img src=x" not in page and "<script>alert" not in page
    assert "<img src=x" not in open_form(admin, page)


def test_another_person_s_or_an_older_recipe_is_not_opened(
    admin: Client, person: Callable[..., User], browse: Callable[[User], Client]
) -> None:
    page = drop(admin, "a.txt", samples.INFOTEXT.encode())
    other = browse(person("other", "generate"))
    assert "a red teapot" not in open_form(other, page)
    drop(admin, "b.txt", b"a fox\nSteps: 5, Seed: 1")
    assert "a red teapot" not in open_form(admin, page)


def test_who_may_not_generate_may_not_import(
    person: Callable[..., User], browse: Callable[[User], Client]
) -> None:
    viewer = browse(person("viewer", "view"))
    for response in (viewer.get(ADDRESS), viewer.post(ADDRESS, {"text": samples.INFOTEXT})):
        assert response.status_code == 302
        assert "Read from" not in response.content.decode()


def test_models_are_found_by_hash_and_by_name(model: RegisteredModel) -> None:
    model.sha256 = "ab12cd34" + "0" * 56
    model.save()
    assert match_model(ForeignRecipe("SwarmUI", model_hash="ab12cd34")) == model
    assert match_model(ForeignRecipe("SwarmUI", model_hash="ab12cd3")) is None
    for name in ("Sketch", "folder/sketch.safetensors", "models\\Sketch.ckpt"):
        assert match_model(ForeignRecipe("ComfyUI", model_name=name)) == model
    assert match_model(ForeignRecipe("ComfyUI", model_name="other")) is None
    assert match_model(ForeignRecipe("ComfyUI")) is None
    RegisteredModel.objects.update(state="retired")
    assert match_model(ForeignRecipe("ComfyUI", model_name="Sketch")) is None


def test_our_own_recipe_comes_back_from_every_form_of_download(
    asset: Asset, admin: Client, model: RegisteredModel
) -> None:
    version = asset.versions.get()
    address = reverse("imagepipe_admin:recipe", args=[asset.uid, 1])
    for form in ("json", "infotext", "comfyui"):
        response = admin.get(address, {"form": form})
        assert "attachment" in response["Content-Disposition"]
        recipe = read(response.content)
        assert recipe.prompt == version.recipe["prompt"]
        assert recipe.seed == version.recipe["seed"]
        assert match_model(recipe) == model
    assert admin.get(address, {"form": "../x"}).status_code == 404
    page = admin.get(reverse("imagepipe_admin:asset", args=[asset.uid])).content.decode()
    assert f"{address}?form=comfyui" in page


def test_the_command_writes_the_same(
    asset: Asset, admin: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("imagepipe", "export-recipe", str(asset.uid), "--format", "infotext")
    address = reverse("imagepipe_admin:recipe", args=[asset.uid, 1])
    written = admin.get(address, {"form": "infotext"}).content.decode()
    assert capsys.readouterr().out.strip() == written.strip()
