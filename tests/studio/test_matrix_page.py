from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.models import Collection

from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.workflow.models import Run

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/imagepipe/generate/matrix/"


@pytest.fixture
def values(admin: Client, template: PromptTemplate, root: Collection) -> dict[str, Any]:
    sheet = re.search(r'name="sheet" value="([^"]+)"', admin.get(ADDRESS).content.decode())
    assert sheet is not None
    return {
        "sheet": sheet[1], "title": "Cups", "template": template.pk, "candidates": 1,
        "seed": 7, "collection": root.pk,
        "field1": "variable:subject", "values1": "red cup\nblue cup\n\n green cup ",
        "field2": "steps", "values2": "2\n4", "group2": "A",
        "field3": "guidance", "values3": "1.5\n3", "group3": "A",
        "field4": "seed", "values4": "1\n2",
    }  # fmt: skip


def test_twelve_pictures_are_estimated_and_then_started(
    admin: Client, values: dict[str, Any], finish: Callable[[Run], Run]
) -> None:
    page = admin.post(ADDRESS, values).content.decode()
    assert "12 combinations" in page and "Start 12 runs" in page
    assert "not known: nothing like it was made yet" in page
    assert "red cup, Steps 2, Guidance 1.5, Seed 1" in page
    assert not Run.objects.exists()
    for _twice in range(2):
        response = admin.post(ADDRESS, values | {"start": "1"})
        assert response.status_code == 302
        assert Run.objects.count() == 12
    requests = [run.request for run in Run.objects.order_by("idempotency_key")]
    seen = {
        (r["variables"]["subject"], r["steps"], r["guidance"], r["seeds"][0]) for r in requests
    }
    assert seen == {
        (f"{colour} cup", steps, guidance, seed)
        for colour in ("red", "blue", "green")
        for steps, guidance in ((2, 1.5), (4, 3.0))
        for seed in (1, 2)
    }
    first = Run.objects.order_by("idempotency_key").first()
    assert first is not None
    finish(first)
    page = admin.get(response["Location"]).content.decode()
    assert "1 of 12 runs are finished." in page
    candidate = first.candidates.get()
    assert reverse("imagepipe_admin:candidate_picture", args=[candidate.uid]) in page
    assert re.search(r"about [\d.]+ s", admin.post(ADDRESS, values).content.decode())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values2": "2\nmany"}, "“many” is not a number that fits."),
        ({"values2": "2"}, "equally many values, not 1, 2"),
        ({"values2": "0\n4"}, "must be a whole number from 1"),
        ({"field4": "variable:subject"}, "there twice"),
        ({"values1": "\n".join(map(str, range(50)))}, "at most 96 are possible"),
        ({"values1": " "}, "Write 1 to 96 values"),
        ({"field1": "", "field2": "", "field3": "", "field4": ""}, "at least one thing"),
        ({"field4": "__class__"}, "Select a valid choice"),
        ({"template": ""}, "Choose a model"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_started(
    admin: Client, values: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    page = admin.post(ADDRESS, values | change | {"start": "1"}).content.decode()
    assert says in page.replace("&quot;", '"').replace("&#x27;", "'")
    assert not Run.objects.exists()


def test_prompts_can_be_the_axis(
    admin: Client, values: dict[str, Any], template: PromptTemplate
) -> None:
    change = {
        "template": "", "model": template.model.pk, "field1": "prompt",
        "values1": "a <b>cup</b>\na bowl", "field2": "", "field3": "", "field4": "",
    }  # fmt: skip
    page = admin.post(ADDRESS, values | change).content.decode()
    assert "2 combinations" in page and "<b>cup" not in page
    admin.post(ADDRESS, values | change | {"start": "1"})
    prompts = {run.request["prompt_used"] for run in Run.objects.all()}
    assert prompts == {"a <b>cup</b>", "a bowl"}


def test_who_may_not_generate_there_starts_nothing(
    admin: Client, values: dict[str, Any], root: Collection,
    person: Callable[..., User], browse: Callable[[User], Client],
) -> None:  # fmt: skip
    viewer = browse(person("viewer", "view"))
    assert viewer.post(ADDRESS, values | {"start": "1"}).status_code == 302
    elsewhere = browse(person("other", "generate", collection=root.add_child(name="Own")))
    page = elsewhere.post(ADDRESS, values | {"start": "1"})
    assert page.status_code == 200
    assert not Run.objects.exists()
    admin.post(ADDRESS, values | {"start": "1"})
    address = reverse("imagepipe_admin:matrix_runs", args=[values["sheet"]])
    assert admin.get(address).status_code == 200
    assert elsewhere.get(address).status_code == 404


def test_a_profile_gives_what_no_axis_changes(
    admin: Client, values: dict[str, Any], template: PromptTemplate
) -> None:
    assert 'name="profile"' not in admin.get(ADDRESS).content.decode()
    profile = GenerationProfile.objects.create(
        name="Wide", slug="wide", width=320, height=192, steps=9, guidance=7.5,
        negative="text", model=template.model,
    )  # fmt: skip
    GenerationProfile.objects.create(name="Draft", slug="draft", live=False)
    page = admin.get(ADDRESS).content.decode()
    assert "Wide" in page and "Draft" not in page
    change = {"profile": "wide", "field3": "", "values3": "", "group3": ""}
    admin.post(ADDRESS, values | change | {"start": "1"})
    assert Run.objects.count() == 12
    for run in Run.objects.all():
        assert run.request["profile"] == "wide"
        assert (run.request["width"], run.request["guidance"]) == (320, 7.5)
        assert run.request["steps"] in (2, 4), "the axis comes before the profile"
    alone = {"template": "", "prompt": "a cup", "field1": "", "model": ""}
    Run.objects.all().delete()
    admin.post(ADDRESS, values | change | alone | {"start": "1"})
    assert {run.model_id for run in Run.objects.all()} == {profile.model_id}
    draft = admin.post(ADDRESS, values | {"profile": "draft"}).content.decode()
    assert "Select a valid choice" in draft
