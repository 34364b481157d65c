"""Masks and control pictures of earlier runs: found by what they were for, used again."""

from __future__ import annotations

import base64
import importlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageDraw
from wagtail.models import Collection

from imagepipe.assets.models import AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval import text_tower
from imagepipe.retrieval.clip import picture_vector, text_vector
from imagepipe.retrieval.guides import search_guides
from imagepipe.retrieval.indexing import index_guides, see_guide
from imagepipe.workflow import blobs
from imagepipe.workflow.guide_models import Guide
from imagepipe.workflow.models import Run
from tests.studio.test_suggestions import clip, forgotten, held_out, keep

pytestmark = pytest.mark.django_db
CLIP = Path(__file__).parents[2] / "fixtures/models/pocket-clip"
__all__ = ["clip", "forgotten"]


def mask(size: tuple[int, int], box: tuple[int, int, int, int]) -> str:
    image = Image.new("L", size)
    ImageDraw.Draw(image).rectangle(box, fill=255)
    output = io.BytesIO()
    image.save(output, "PNG")
    return "data:image/png;base64," + base64.b64encode(output.getvalue()).decode()


def fix(client: Client, version: AssetVersion, prompt: str, **change: Any) -> Run:
    """Make a region of a picture anew, as the form is sent."""
    address = reverse("imagepipe_admin:version_refine", args=[version.asset.uid, 1])
    values = {
        "what": "region", "prompt": prompt, "strength": "100", "candidates": "1",
        "title": version.asset.title, "feather": "8", "sheet": f"{prompt}{version.pk}",
        "model": RegisteredModel.objects.get(slug="sketch").pk,
        "mask": mask((128, 128), (16, 16, 79, 79)), **change,
    }  # fmt: skip
    response = client.post(address, values)
    assert response.status_code == 302, response.context["form"].errors
    return Run.objects.latest("pk")


@pytest.fixture
def sketch(model: RegisteredModel) -> RegisteredModel:
    RegisteredModel.objects.filter(pk=model.pk).update(slug="sketch", backend="fake")
    return RegisteredModel.objects.get(pk=model.pk)


@pytest.fixture
def fixed(
    admin: Client, sketch: RegisteredModel, clip: RegisteredModel, root: Collection
) -> dict[str, Run]:
    """Runs with masks, by what their picture shows; their words say nothing of it."""
    found = {}
    for number in (0, 9, 18, 27, 36):
        image, text = held_out(number)
        box = (number, 16, 64 + number, 80)
        version = keep(image, f"Number {number}", root)
        found[text] = fix(admin, version, "as agreed", mask=mask((128, 128), box))
    assert (index_guides(), index_guides()) == (5, 0)
    return found


def test_a_mask_is_found_by_what_it_marked(fixed: dict[str, Run]) -> None:
    def hit(text: str) -> bool:
        found = search_guides(text, Run.objects.all(), [Guide.Kind.MASK], limit=2)
        assert len(found) == 2 and found[0].score >= found[1].score
        return fixed[text] in [one.guide.run for one in found]

    assert sum(map(hit, fixed)) >= 4
    wide = search_guides("as agreed", Run.objects.all(), [Guide.Kind.MASK], shape=(1600, 900))
    assert wide == []
    twice = search_guides("as", Run.objects.all(), [Guide.Kind.MASK], shape=(2048, 2048))
    assert len(twice) == 4
    assert search_guides("anything", Run.objects.all(), [Guide.Kind.CONTROL]) == []


def test_what_a_mask_marks_is_looked_at_and_not_the_mask(fixed: dict[str, Run]) -> None:
    guide = next(iter(fixed.values())).guides.get()
    seen = see_guide(guide)
    assert seen.size == (64 + 1 + 16, 65 + 16 + 16)
    assert np.asarray(seen).std() > 5
    blobs.replace(blobs.blob_name(guide.sha256), b"damaged")
    Guide.objects.exclude(pk=guide.pk).delete()
    clip = RegisteredModel.objects.get(kind="clip")
    RegisteredModel.objects.filter(pk=clip.pk).update(sha256="d" * 64)
    assert (index_guides(), index_guides()) == (1, 0)
    found = search_guides("agreed", Run.objects.all(), [Guide.Kind.MASK])
    assert [one.guide for one in found] == [guide], "words remain"


def test_the_page_of_a_picture_offers_masks_that_fit(
    admin: Client, sketch: RegisteredModel, root: Collection
) -> None:
    version = keep(held_out(0)[0], "A panda", root)
    run = fix(admin, version, "a panda on green")
    again = fix(admin, version, "a panda on blue")
    guide = Guide.objects.get()
    assert (guide.run, guide.kind) == (run, "mask") and again.guides.count() == 0
    address = reverse("imagepipe_admin:masks_near")
    shape = {"q": "panda", "width": "768", "height": "768"}
    page = admin.get(address, shape).content.decode()
    assert "1 mask that was drawn before fits." in page
    picture = reverse("imagepipe_admin:guide_picture", args=[guide.pk])
    assert picture in page
    assert "fits" not in admin.get(address, shape | {"width": "1024"}).content.decode()
    for wrong in ({"width": "x"}, {"height": ""}, {"width": "9" * 9}):
        assert admin.get(address, shape | wrong).status_code == 404
    response = admin.get(picture)
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (128, 128)
        assert np.asarray(image)[16:80, 16:80].min() == 255
    assert "no-store" in response["Cache-Control"]
    assert admin.get(f"{picture}thumbnail/")["Content-Type"] == "image/jpeg"
    assert admin.get("/admin/imagepipe/generate/guides/99999999999/").status_code == 404


def follow(client: Client, **values: Any) -> Run:
    """Ask for a picture that follows another one."""
    brief = {
        "title": "Boat", "template": "", "prompt": "a boat", "candidates": "1",
        "sheet": uuid4().hex, "model": RegisteredModel.objects.get(slug="sketch").pk,
        "control": RegisteredModel.objects.get(kind="controlnet").pk,
    }  # fmt: skip
    response = client.post(reverse("imagepipe_admin:generate"), brief | values)
    assert response.status_code == 302, response.context["form"].errors
    return Run.objects.latest("pk")


@pytest.fixture
def canny(sketch: RegisteredModel) -> RegisteredModel:
    return RegisteredModel.objects.create(
        kind="controlnet", slug="house-canny", name="House canny", backend="fake",
        location="house-canny", licence="MIT", state="allowed",
    )  # fmt: skip


def test_a_control_picture_is_found_while_the_brief_is_typed_and_followed_again(
    admin: Client, canny: RegisteredModel, finish: Callable[[Run], Run],
    private_folder: Path,
) -> None:  # fmt: skip
    output = io.BytesIO()
    held_out(9)[0].save(output, "PNG")
    given = SimpleUploadedFile("sketch.png", output.getvalue(), "image/png")
    first = follow(admin, control_picture=given, control_ready="on", title="Sailing boat")
    guide = first.guides.get()
    assert (guide.kind, guide.ready, guide.width) == ("control", True, 128)
    response = admin.get(reverse("imagepipe_admin:suggestions"), {"q": "boat", "title": "New"})
    [one] = response.context["guides"]
    assert one.guide == guide
    assert "Follow the picture of “Sailing boat”" in response.content.decode()
    second = follow(admin, kept=str(guide.pk))
    wishes = [run.request["controls"][0] for run in (first, second)]
    assert wishes[0] == wishes[1]
    assert second.guides.count() == 0
    assert finish(second).candidates.count() == 1


def test_the_outline_of_a_mask_can_be_followed(
    admin: Client, canny: RegisteredModel, root: Collection, finish: Callable[[Run], Run]
) -> None:
    version = keep(held_out(0)[0], "A panda", root)
    fix(admin, version, "a panda on green")
    guide = Guide.objects.get()
    page = admin.get(reverse("imagepipe_admin:suggestions"), {"q": "panda"}).content.decode()
    assert "Follow the outline of the mask of “A panda”" in page
    address = reverse("imagepipe_admin:generate")
    form = admin.get(address, {"kept": str(guide.pk)}).content.decode()
    assert "What was given for “A panda” is followed unless you give a file." in form
    run = follow(admin, kept=str(guide.pk))
    assert run.request["controls"][0]["computed"]
    steps = finish(run).steps.filter(kind="control")
    with Image.open(io.BytesIO(blobs.read(steps.get().output["sha256"]))) as image:
        assert 0 < (np.asarray(image.convert("L")) > 128).mean() < 0.1, "an outline, no area"


def test_nobody_sees_or_uses_the_guides_of_others(
    admin: Client, canny: RegisteredModel, root: Collection,
    person: Callable[..., User], browse: Callable[[User], Client],
) -> None:  # fmt: skip
    version = keep(held_out(0)[0], "A panda", root)
    fix(admin, version, "a panda on green")
    guide = Guide.objects.get()
    own = root.add_child(name="Own")
    client = browse(person("olga", "generate", collection=own))
    asked = {"q": "panda", "width": "128", "height": "128"}
    for name in ("masks_near", "suggestions"):
        page = client.get(reverse(f"imagepipe_admin:{name}"), asked)
        assert page.status_code == 200 and "panda”" not in page.content.decode()
    for name in ("guide_picture", "guide_thumbnail"):
        address = reverse(f"imagepipe_admin:{name}", args=[guide.pk])
        assert client.get(address).status_code == 404
    form = client.get(reverse("imagepipe_admin:generate"), {"kept": str(guide.pk)})
    assert form.context["form"].reused is None and "A panda" not in form.content.decode()
    viewer = browse(person("vera", "view"))
    assert viewer.get(reverse("imagepipe_admin:masks_near"), asked).status_code == 302
    for hostile in ("x", "-1", "9" * 30, "1e3", "²"):
        page = admin.get(reverse("imagepipe_admin:generate"), {"kept": hostile})
        assert page.context["form"].reused is None


def test_the_migration_remembers_what_earlier_runs_were_given(
    admin: Client, canny: RegisteredModel, root: Collection
) -> None:
    version = keep(held_out(0)[0], "A panda", root)
    fix(admin, version, "a panda on green")
    drawn = mask((128, 128), (4, 4, 99, 9))
    follow(admin, control_drawn=drawn)
    follow(admin, control_drawn=drawn, title="Again")
    fields = ("kind", "sha256", "run", "width", "height", "ready")
    expected = list(Guide.objects.order_by("kind").values(*fields))
    assert len(expected) == 2
    Guide.objects.all().delete()
    importlib.import_module("imagepipe.migrations.0017_guides").remember(apps, None)
    assert list(Guide.objects.order_by("kind").values(*fields)) == expected


def test_who_could_change_templates_may_publish_them_after_the_migration() -> None:
    migration = importlib.import_module("imagepipe.migrations.0015_prompt_system")
    of_templates = Permission.objects.filter(content_type__app_label="imagepipe")
    change = of_templates.get(codename="change_prompttemplate")
    view = of_templates.get(codename="view_prompttemplate")
    of_templates.filter(codename="publish_prompttemplate").delete()
    writers, readers = (Group.objects.create(name=name) for name in ("Writers", "Readers"))
    writers.permissions.set([change, view])
    readers.permissions.set([view])
    for _twice in range(2):
        migration.keep_publishing(apps, None)
        held = writers.permissions.values_list("codename", flat=True)
        assert set(held) == {
            "change_prompttemplate", "view_prompttemplate", "publish_prompttemplate"
        }  # fmt: skip
        assert list(readers.permissions.all()) == [view]
    user = User.objects.create(username="w")
    user.groups.add(writers)
    assert user.has_perm("imagepipe.publish_prompttemplate")


WORDS = ("a panda", "Ein Bär — 🫖 <|endoftext|> more", "word " * 90, "§", "A RED  teapot")


def test_words_mean_the_same_with_numpy_as_with_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("transformers")
    mine = [np.frombuffer(text_vector(words, CLIP), "<f4") for words in WORDS]

    def broken(folder: Path) -> Any:
        raise text_tower.UnusableTower("on purpose")

    monkeypatch.setattr("imagepipe.retrieval.clip.text_tower", broken)
    theirs = [np.frombuffer(text_vector(words, CLIP), "<f4") for words in WORDS]
    assert np.abs(np.stack(mine) - np.stack(theirs)).max() < 1e-5
    seen = np.frombuffer(picture_vector(held_out(0)[0], CLIP), "<f4")
    assert seen.shape == mine[0].shape


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.json", "{}"), ("config.json", "["), ("tokenizer.json", None)],
)
def test_other_models_are_left_to_torch(
    tmp_path: Path, name: str, content: str | None
) -> None:
    for file in CLIP.iterdir():
        if file.name != name:
            (tmp_path / file.name).symlink_to(file)
    if content is not None:
        (tmp_path / name).write_text(content)
    for _twice in range(2):
        with pytest.raises(text_tower.UnusableTower):
            text_tower.text_tower(tmp_path)
    with pytest.raises(FileNotFoundError):
        text_tower.text_tower(tmp_path / "nothing")
