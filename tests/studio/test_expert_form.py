"""The part of *Generate* for experts: start picture, edges to follow, adapters, sampling."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageDraw
from wagtail.models import Collection

from imagepipe.assets.models import Asset
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.models import Run

pytestmark = pytest.mark.django_db
PLACE = "/admin/imagepipe/generate/"


def photograph() -> SimpleUploadedFile:
    image = Image.new("RGB", (160, 120), (70, 110, 160))
    ImageDraw.Draw(image).ellipse((40, 30, 120, 90), fill=(200, 60, 40))
    output = io.BytesIO()
    image.save(output, "JPEG", quality=90)
    return SimpleUploadedFile("harbour.jpg", output.getvalue(), "image/jpeg")


@pytest.fixture
def companions(model: RegisteredModel) -> None:
    for kind, slug in (("lora", "pastel"), ("controlnet", "house-canny")):
        RegisteredModel.objects.create(
            kind=kind, slug=slug, name=slug, backend="fake", location=slug, licence="MIT",
            state="allowed",
        )  # fmt: skip


@pytest.fixture
def values(model: RegisteredModel) -> dict[str, Any]:
    return {
        "title": "Boat", "template": "", "prompt": "a blue boat", "candidates": "1",
        "model": str(model.pk), "width": "128", "height": "128", "sheet": "one",
    }  # fmt: skip


def test_everything_that_an_expert_sets_reaches_the_picture(
    admin: Client, values: dict[str, Any], companions: None, finish: Callable[[Run], Run]
) -> None:
    control = RegisteredModel.objects.get(slug="house-canny")
    expert = {
        "steps": "9", "guidance": "6.5", "scheduler": "outline", "adapter_pastel": "0.5",
        "start_picture": photograph(), "strength": "40", "control": str(control.pk),
        "control_picture": photograph(), "control_end": "50",
    }  # fmt: skip
    response = admin.post(PLACE, values | expert)
    assert response.status_code == 302, response.content.decode()
    candidate = finish(Run.objects.get()).candidates.get()
    recipe = candidate.recipe
    assert (recipe["steps"], recipe["guidance"], recipe["strength"]) == (9, 6.5, 0.4)
    assert recipe["mode"] == "image-to-image"
    assert recipe["environment"]["scheduler"] == "outline"
    assert {a["kind"]: a["weight"] for a in recipe["adapters"]} == {
        "lora": 0.5, "control-canny": 1.0,
    }  # fmt: skip
    assert (candidate.width, candidate.height) == (128, 128)


def test_a_start_picture_decides_the_size_unless_one_is_given(
    admin: Client, values: dict[str, Any], finish: Callable[[Run], Run]
) -> None:
    values |= {"width": "", "height": "", "start_picture": photograph()}
    assert admin.post(PLACE, values).status_code == 302
    candidate = finish(Run.objects.get()).candidates.get()
    assert (candidate.width, candidate.height) == (160, 120)


def test_the_same_form_with_another_file_is_another_run(
    admin: Client, values: dict[str, Any]
) -> None:
    first = admin.post(PLACE, values | {"start_picture": photograph()}).url
    assert admin.post(PLACE, values | {"start_picture": photograph()}).url == first
    assert admin.post(PLACE, values).url != first


def test_the_edges_of_a_picture_of_the_library_are_followed(
    admin: Client, asset: Asset, values: dict[str, Any], companions: None
) -> None:
    guide = f"{asset.uid}/1"
    page = admin.get(reverse("imagepipe_admin:asset", args=[asset.uid])).content.decode()
    assert f"?guide={guide}" in page
    assert "The edges of “A teapot” are followed" in admin.get(
        f"{PLACE}?guide={guide}"
    ).content.decode()
    control = RegisteredModel.objects.get(slug="house-canny")
    response = admin.post(PLACE, values | {"control": str(control.pk), "guide": guide})
    assert response.status_code == 302
    wish = Run.objects.latest("pk").request["controls"][0]
    assert wish["source"]["sha256"] == asset.versions.get().sha256
    assert wish["computed"]


def test_a_guide_that_one_may_not_see_is_as_if_it_were_not_there(
    asset: Asset, person: Callable[..., User], browse: Callable[..., Client],
    root: Collection, values: dict[str, Any], companions: None,
) -> None:  # fmt: skip
    elsewhere = root.add_child(name="Elsewhere")
    stranger = browse(person("stranger", "generate", collection=elsewhere))
    control = RegisteredModel.objects.get(slug="house-canny")
    guided = {"control": str(control.pk), "guide": f"{asset.uid}/1"}
    runs = Run.objects.count()
    response = stranger.post(PLACE, values | guided)
    assert "Give the picture that is to be followed." in response.content.decode()
    assert asset.title not in response.content.decode()
    assert Run.objects.count() == runs


@pytest.mark.parametrize(
    ("expert", "words"),
    [
        ({"scheduler": "Euler"}, "Euler is not one of the available choices"),
        ({"steps": "999"}, "less than or equal to 150"),
        ({"adapter_pastel": "9"}, "less than or equal to 2"),
        ({"adapter_pastel": "nan"}, "Enter a number."),
        ({"start_picture": SimpleUploadedFile("a.svg", b"<svg/>")}, "not a photograph"),
        ({"start_picture": SimpleUploadedFile("a.jpg", b"\xff\xd8\xff")}, "picture"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    admin: Client, values: dict[str, Any], companions: None, expert: Any, words: str
) -> None:
    response = admin.post(PLACE, values | expert)
    assert response.status_code == 200
    page = response.content.decode()
    assert words in page
    assert 'imagepipe-expert"' in page
    assert not Run.objects.exists()


def test_limits_of_a_model_come_with_reasons(
    admin: Client, model: RegisteredModel, person: Callable[..., User],
    browse: Callable[..., Client], monkeypatch: Any,
) -> None:  # fmt: skip
    place = reverse("imagepipe_admin:model_limits")
    limits = admin.get(place, {"model": model.pk}).json()
    assert limits == {
        "start": "", "control": "", "adapters": "", "schedulers": ["sketch", "outline"],
    }  # fmt: skip
    plain = Capabilities(schedulers=("sketch",))
    monkeypatch.setattr(FakeBackend, "capabilities", lambda self, model=None: plain)
    limits = admin.get(place, {"model": "x", "template": "9"}).json()
    assert limits["start"] == "“Sketch” cannot start from a picture."
    assert limits["adapters"] == "“Sketch” cannot use adapters."
    assert browse(person("reviewer", "review")).get(place).status_code in (302, 403)
