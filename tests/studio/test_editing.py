"""The pages that fix a region of a picture and extend it to other shapes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageDraw
from wagtail.models import Collection

from imagepipe.assets.models import Asset
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run

pytestmark = pytest.mark.django_db


def address(kind: str, candidate: Candidate) -> str:
    return reverse(f"imagepipe_admin:candidate_{kind}", args=[candidate.uid])


def data_url(size: tuple[int, int], box: tuple[int, int, int, int] | None) -> str:
    mask = Image.new("L", size, 0)
    if box:
        ImageDraw.Draw(mask).rectangle(box, fill=255)
    output = io.BytesIO()
    mask.save(output, "PNG")
    return "data:image/png;base64," + base64.b64encode(output.getvalue()).decode()


@pytest.fixture
def refine(candidate: Candidate) -> dict[str, Any]:
    return {
        "what": "region", "prompt": "a green teapot", "strength": "100", "candidates": "2",
        "feather": "8", "title": "Teapot", "model": str(candidate.run.model_id),
        "mask": data_url((96, 96), (10, 10, 40, 40)), "sheet": "one",
    }  # fmt: skip


@pytest.fixture
def extend(candidate: Candidate) -> dict[str, Any]:
    return {
        "shapes": ["1:1", "9:16", "16:9"], "prompt": "a red teapot", "feather": "8",
        "across": "50", "down": "100", "title": "Teapot", "sheet": "one",
        "model": str(candidate.run.model_id),
    }  # fmt: skip


def test_the_form_knows_the_words_and_the_model_of_the_picture(
    admin: Client, candidate: Candidate
) -> None:
    page = admin.get(address("refine", candidate)).content.decode()
    assert "a red teapot, soft light</textarea>" in page
    assert f'<option value="{candidate.run.model_id}" selected>Sketch</option>' in page
    assert reverse("imagepipe_admin:candidate_picture", args=[candidate.uid]) in page


def test_a_marked_region_becomes_a_run(
    admin: Client, candidate: Candidate, refine: dict[str, Any], finish: Callable[[Run], Run]
) -> None:
    response = admin.post(address("refine", candidate), refine)
    run = Run.objects.exclude(pk=candidate.run_id).get()
    assert response.url == reverse("imagepipe_admin:run", args=[run.uid])
    assert run.request["edit"]["mode"] == "inpaint"
    assert run.request["edit"]["feather"] == 8
    assert len(run.request["seeds"]) == 2
    finish(run)
    assert run.candidates.filter(state="offered").count() == 2
    page = admin.get(response.url).content.decode()
    assert address("refine", run.candidates.first()) in page
    assert reverse("imagepipe_admin:candidate", args=[candidate.uid]) in page
    assert "Edited from" in page


def test_sent_twice_unchanged_it_makes_one_run(
    admin: Client, candidate: Candidate, refine: dict[str, Any]
) -> None:
    places = {admin.post(address("refine", candidate), refine).url for _i in range(2)}
    assert len(places) == 1
    refine["mask"] = data_url((96, 96), (50, 50, 60, 60))
    assert admin.post(address("refine", candidate), refine).url not in places


def test_numbers_do_what_a_drawing_does(
    admin: Client, candidate: Candidate, refine: dict[str, Any]
) -> None:
    box = {"box_left": "10", "box_top": "10", "box_width": "30", "box_height": "30"}
    response = admin.post(address("refine", candidate), refine | {"mask": ""} | box)
    assert response.status_code == 302
    mask = Run.objects.latest("pk").request["edit"]["mask"]
    assert mask in Run.objects.latest("pk").request["pictures"]


def test_the_whole_picture_needs_no_mask(
    admin: Client, candidate: Candidate, refine: dict[str, Any]
) -> None:
    values = refine | {"mask": "", "what": "whole", "strength": "35"}
    assert admin.post(address("refine", candidate), values).status_code == 302
    edit = Run.objects.latest("pk").request["edit"]
    assert (edit["mode"], edit["strength"]) == ("image-to-image", 0.35)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mask": ""}, "Nothing is marked."),
        ({"mask": data_url((96, 96), None)}, "Nothing is marked."),
        ({"mask": data_url((96, 40), (1, 1, 9, 9))}, "another shape"),
        ({"mask": "data:image/png;base64,AAAA"}, "The mask cannot be read."),
        ({"mask": "data:text/html,<script>"}, "The mask cannot be read."),
        ({"mask": "", "box_width": "20"}, "Give the width and the height"),
        ({"strength": "0"}, "greater than or equal to 1"),
        ({"prompt": " "}, "The prompt is empty."),
        ({"feather": "9999"}, "less than or equal to 512"),
    ],
)
def test_what_is_wrong_is_said_and_the_drawing_is_kept(
    admin: Client, candidate: Candidate, refine: dict[str, Any], change: Any, words: str
) -> None:
    response = admin.post(address("refine", candidate), refine | change)
    page = response.content.decode()
    assert response.status_code == 200
    assert words in page
    if "mask" not in change:
        assert f'value="{refine["mask"]}"' in page
    assert "<script>" not in page.partition("<form")[2].partition("</form>")[0]
    assert Run.objects.count() == 1


def test_several_shapes_become_one_run_with_one_picture_each(
    admin: Client, candidate: Candidate, extend: dict[str, Any], finish: Callable[[Run], Run]
) -> None:
    values = extend | {"shapes": ["9:16", "16:9"], "other": "3:1, 96x200", "side_left": "25"}
    response = admin.post(address("extend", candidate), values)
    run = Run.objects.latest("pk")
    frames = run.request["edit"]["frames"]
    assert [frame["name"] for frame in frames] == ["9:16", "16:9", "3:1", "96×200", "240×192"]
    assert frames[0]["top"] == frames[0]["height"] - 192
    finish(run)
    assert run.candidates.count() == 5
    page = admin.get(response.url).content.decode()
    assert "Picture 1: 9:16" in page


def test_new_room_is_filled_without_a_model_where_the_model_says_so(
    admin: Client, candidate: Candidate, extend: dict[str, Any], finish: Callable[[Run], Run]
) -> None:
    place = address("extend", candidate)
    assert admin.get(place).context["form"]["room"].value() == "model"
    RegisteredModel.objects.update(defaults={"new_room": "ground"})
    assert admin.get(place).context["form"]["room"].value() == "ground"
    values = extend | {"shapes": ["16:9"], "room": "ground", "prompt": ""}
    assert admin.post(place, values).status_code == 302
    run = finish(Run.objects.latest("pk"))
    assert run.request["edit"]["ground"]
    assert run.request["prompt_used"] == candidate.run.title
    assert run.candidates.get().recipe["environment"]["backend"] == "ground"
    asked = admin.post(place, values | {"room": "model"})
    assert "The prompt is empty." in asked.content.decode()
    odd = admin.post(place, values | {"room": "nothing"})
    assert "nothing is not one of the available choices" in odd.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shapes": []}, "Choose at least one shape or a side."),
        ({"shapes": ["1:1"]}, "is the shape of the picture already"),
        ({"other": "9:16"}, "Two of the shapes are the same."),
        ({"other": "wide"}, "is not a shape"),
        ({"other": ",".join(f"{n}:10" for n in range(11, 30))}, "At most 16 shapes"),
        ({"across": "101"}, "less than or equal to 100"),
        ({"shapes": ["17:3"]}, "17:3 is not one of the available choices"),
    ],
)
def test_shapes_that_make_no_sense_are_refused(
    admin: Client, candidate: Candidate, extend: dict[str, Any], change: Any, words: str
) -> None:
    values = extend | {"shapes": ["9:16"]} | change
    response = admin.post(address("extend", candidate), values)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert Run.objects.count() == 1


def test_a_model_that_cannot_is_greyed_out_with_the_reason(
    admin: Client, candidate: Candidate, refine: dict[str, Any], monkeypatch: Any
) -> None:
    plain = Capabilities(schedulers=("sketch",))
    monkeypatch.setattr(FakeBackend, "capabilities", lambda self, model=None: plain)
    page = admin.get(address("refine", candidate)).content.decode()
    assert "“Sketch” cannot make a part of a picture anew.)</option>" in page
    assert "No model that is allowed here can change pictures." in page
    response = admin.post(address("refine", candidate), refine)
    assert response.status_code == 200
    assert Run.objects.count() == 1


def test_versions_of_the_library_can_be_fixed_and_extended(
    admin: Client, asset: Asset, refine: dict[str, Any]
) -> None:
    page = admin.get(reverse("imagepipe_admin:asset", args=[asset.uid])).content.decode()
    place = reverse("imagepipe_admin:version_refine", args=[asset.uid, 1])
    assert place in page
    assert reverse("imagepipe_admin:version_extend", args=[asset.uid, 1]) in page
    assert admin.post(place, refine).status_code == 302
    assert Run.objects.latest("pk").request["edit"]["source"]["kind"] == "version"


def test_approving_offers_to_make_it_the_next_version(
    admin: Client, asset: Asset, refine: dict[str, Any], finish: Callable[[Run], Run]
) -> None:
    admin.post(reverse("imagepipe_admin:version_refine", args=[asset.uid, 1]), refine)
    first, second = finish(Run.objects.latest("pk")).candidates.order_by("index")
    place = reverse("imagepipe_admin:candidate", args=[first.uid])
    assert "As the next version of “A teapot”" in admin.get(place).content.decode()
    admin.post(place, {"title": "T", "as_version": "on", "persons": "none"})
    assert asset.versions.count() == 2
    place = reverse("imagepipe_admin:candidate", args=[second.uid])
    admin.post(place, {"title": "Another teapot", "persons": "none"})
    assert asset.versions.count() == 2
    assert Asset.objects.filter(title="Another teapot").exists()


@pytest.mark.parametrize("kind", ["refine", "extend"])
def test_strangers_see_nothing_and_change_nothing(
    candidate: Candidate, person: Callable[..., User], browse: Callable[..., Client],
    root: Collection, kind: str, refine: dict[str, Any],
) -> None:  # fmt: skip
    elsewhere = root.add_child(name="Elsewhere")
    stranger = browse(person("stranger", "generate", collection=elsewhere))
    reviewer = browse(person("reviewer", "review"))
    place = address(kind, candidate)
    for client in (stranger, reviewer):
        for response in (client.get(place), client.post(place, refine)):
            assert response.status_code in (302, 403)
            assert response.status_code == 403 or response.url == reverse("wagtailadmin_home")
    assert Run.objects.count() == 1


def test_who_sees_a_picture_may_edit_it_where_he_may_generate(
    candidate: Candidate, person: Callable[..., User], browse: Callable[..., Client],
    root: Collection, refine: dict[str, Any],
) -> None:  # fmt: skip
    from django.contrib.auth.models import Permission
    from wagtail.models import GroupCollectionPermission

    elsewhere = root.add_child(name="Elsewhere")
    maker = person("maker", "generate", collection=elsewhere)
    GroupCollectionPermission.objects.create(
        group=maker.groups.get(),
        collection=candidate.run.collection,
        permission=Permission.objects.get(
            content_type__app_label="imagepipe", codename="review_asset"
        ),
    )
    assert browse(maker).post(address("refine", candidate), refine).status_code == 302
    assert Run.objects.latest("pk").collection == elsewhere


def test_an_idle_person_cannot_use_a_picture_through_the_action_either(
    candidate: Candidate, person: Callable[..., User], root: Collection, refine: Any
) -> None:
    from django.core.exceptions import PermissionDenied

    from imagepipe.workflow.edits import Edit
    from imagepipe.workflow.source_pictures import SourcePicture

    elsewhere = root.add_child(name="Elsewhere")
    stranger = person("stranger", "generate", collection=elsewhere)
    edit = Edit("image-to-image", SourcePicture.of_candidate(candidate))
    run = Run(title="Mine", model=candidate.run.model, collection=elsewhere)
    with pytest.raises(PermissionDenied):
        StartRun(run, stranger, brief=Brief(prompt="a boat", edit=edit)).execute()
