"""The part of *Generate* for experts: start picture, edges to follow, adapters, sampling."""

from __future__ import annotations

import io
from base64 import b64encode
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
        "fields": {},
    }  # fmt: skip
    plain = Capabilities(schedulers=("sketch",))
    monkeypatch.setattr(FakeBackend, "capabilities", lambda self, model=None: plain)
    limits = admin.get(place, {"model": "x", "template": "9"}).json()
    assert limits["start"] == "“Sketch” cannot start from a picture."
    assert limits["adapters"] == "“Sketch” cannot use adapters."
    assert browse(person("reviewer", "review")).get(place).status_code in (302, 403)


def sheet(content: bytes = b"") -> str:
    """A drawing as the browser sends it."""
    image = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(image).line((8, 8, 56, 40), fill=255, width=3)
    output = io.BytesIO()
    image.save(output, "PNG")
    return "data:image/png;base64," + b64encode(content or output.getvalue()).decode()


@pytest.fixture
def edges(companions: None) -> str:
    return str(RegisteredModel.objects.get(slug="house-canny").pk)


def test_several_pictures_are_followed_at_once_each_with_its_weight(
    admin: Client, values: dict[str, Any], edges: str, published: Asset,
    finish: Callable[[Run], Run],
) -> None:  # fmt: skip
    rows = {
        "control": edges, "control_picture": photograph(), "control_weight": "0.5",
        "control_2": edges, "control_drawn_2": sheet(), "control_start_2": "20",
        "control_end_2": "80",
        "control_3": edges, "control_image_3": str(published.image_id),
    }  # fmt: skip
    response = admin.post(PLACE, values | rows)
    assert response.status_code == 302, response.content.decode()
    run = Run.objects.latest("pk")
    file, drawn, image = run.request["controls"]
    assert (file["computed"], file["weight"]) == (True, 0.5)
    assert (drawn["computed"], drawn["start"], drawn["end"]) == (False, 0.2, 0.8)
    assert image["source"]["sha256"] == published.published_version.sha256
    recipe = finish(run).candidates.get().recipe
    assert [a["kind"] for a in recipe["adapters"]] == ["control-canny"] * 3


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"control_drawn_2": sheet(b"no picture")}, "not a picture that can be used"),
        ({"control_drawn_2": "data:text/html;base64,eA=="}, "The drawing cannot be read."),
        ({"control_drawn_2": "x" * 700_001}, "The drawing is too detailed."),
        ({}, "Give the picture that is to be followed."),
        ({"control_drawn_2": sheet(), "control_picture_2": photograph()}, "Give one picture"),
        (
            {"control_drawn_2": sheet(), "control_start_2": "80", "control_end_2": "20"},
            "A control picture starts before it ends",
        ),
        ({"control_image_2": "999999"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_with_the_second_picture_is_said_there(
    admin: Client, values: dict[str, Any], edges: str, row: dict[str, Any], words: str
) -> None:
    page = admin.post(PLACE, values | {"control_2": edges} | row)
    assert page.status_code == 200
    assert words in page.content.decode()
    errors = page.context["form"].errors
    assert errors
    assert all(name.endswith("_2") for name in errors), errors
    assert not Run.objects.exists()


def test_poses_are_refused_with_the_reason_unless_a_detector_is_registered(
    admin: Client, values: dict[str, Any], companions: None, settings: Any,
    finish: Callable[[Run], Run],
) -> None:  # fmt: skip
    RegisteredModel.objects.create(
        kind="controlnet", slug="house-openpose", name="Poses", backend="fake",
        location="poses", licence="MIT", state="allowed",
    )  # fmt: skip
    poses = RegisteredModel.objects.get(slug="house-openpose")
    rows = {"control_2": str(poses.pk), "control_picture_2": photograph()}
    page = admin.post(PLACE, values | rows).content.decode()
    assert "A picture of the kind “openpose” cannot be computed." in page
    ready = rows | {"control_ready_2": "on", "control_picture_2": photograph()}
    assert admin.post(PLACE, values | ready).status_code == 302
    settings.IMAGEPIPE = settings.IMAGEPIPE | {
        "CONTROL_DETECTORS": {"openpose": "PIL.ImageOps.invert"}
    }
    rows["control_picture_2"] = photograph()
    assert admin.post(PLACE, values | rows | {"sheet": "two"}).status_code == 302
    run = Run.objects.latest("pk")
    assert run.request["controls"][0]["computed"]
    assert finish(run).candidates.get().recipe["adapters"][0]["kind"] == "control-openpose"


def test_an_image_that_one_may_not_see_in_the_studio_is_not_followed(
    published: Asset, person: Callable[..., User], browse: Callable[..., Client],
    root: Collection, values: dict[str, Any], edges: str,
) -> None:  # fmt: skip
    elsewhere = root.add_child(name="Elsewhere")
    stranger = browse(person("stranger", "generate", collection=elsewhere))
    rows = {"control": edges, "control_image": str(published.image_id)}
    page = stranger.post(PLACE, values | rows).content.decode()
    assert "You may not look at this picture in the Studio." in page
