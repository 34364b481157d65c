"""Parameters under a name: what they add to a run, and who may change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief, make_plan
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run
from imagepipe.workflow.production import Plan

pytestmark = pytest.mark.django_db
BASE = "wagtailsnippets_imagepipe_generationprofile"
FORM = {
    "name": "Banner", "slug": "banner", "description": "", "negative": "text, logo",
    "model": "", "width": "256", "height": "128", "steps": "7", "guidance": "5.5",
    "scheduler": "", "seed_policy": "series", "seed": "40", "action-publish": "1",
}  # fmt: skip


@pytest.fixture
def profile(db: None) -> GenerationProfile:
    return GenerationProfile.objects.create(
        name="Banner", slug="banner", negative="text, logo", width=256, height=128, steps=7,
        guidance=5.5, seed_policy="series", seed=40,
    )  # fmt: skip


def plan(template: PromptTemplate, **asked: Any) -> Plan:
    values = {"variables": {"subject": "boat"}, "profile": "banner", "candidates": 3} | asked
    return make_plan(Brief(**values), title="t", template=template, model=None)


def test_the_profile_fills_in_what_nobody_said(
    template: PromptTemplate, profile: GenerationProfile
) -> None:
    template.negative = "people"
    made = plan(template)
    assert (made.width, made.height, made.steps, made.guidance) == (256, 128, 7, 5.5)
    assert made.seeds == (40, 41, 42)
    assert made.negative == "people, text, logo"


def test_what_somebody_says_comes_first(
    template: PromptTemplate, profile: GenerationProfile
) -> None:
    made = plan(template, steps=3, seed=9, width=64, height=64, negative="nothing")
    assert (made.steps, made.width, made.seeds[0], made.negative) == (3, 64, 9, "nothing")
    assert made.guidance == 5.5


def test_a_profile_names_the_model(
    template: PromptTemplate, profile: GenerationProfile, model: RegisteredModel
) -> None:
    other = RegisteredModel.objects.create(
        kind="checkpoint", slug="other", name="Other", backend="fake", location="fake",
        licence="MIT", state="allowed",
    )  # fmt: skip
    profile.model = other
    profile.save()
    run = Run(title="t", template=template)
    brief = Brief(variables={"subject": "boat"}, profile="banner", candidates=1)
    StartRun(run, None, brief=brief).execute()
    assert run.model == other
    assert (run.request["profile"], run.request["steps"]) == ("banner", 7)


def test_a_profile_that_is_not_published_is_refused(
    template: PromptTemplate, profile: GenerationProfile
) -> None:
    profile.unpublish()
    with pytest.raises(InvalidBrief, match="not published") as refused:
        plan(template)
    assert refused.value.field == "profile"


def test_the_form_offers_published_profiles_and_uses_the_chosen_one(
    admin: Client, template: PromptTemplate, profile: GenerationProfile
) -> None:
    place = reverse("imagepipe_admin:generate")
    form = admin.get(place).context["form"]
    assert list(form.fields["profile"].queryset) == [profile]
    values = {
        "title": "Boat", "template": template.pk, "variable_subject": "boat",
        "candidates": "1", "profile": "banner", "sheet": "one",
    }  # fmt: skip
    response = admin.post(place, values)
    assert response.status_code == 302, response.context["form"].errors
    run = Run.objects.get()
    assert (run.request["width"], run.request["seeds"]) == (256, [40])
    profile.delete()
    assert "profile" not in admin.get(place).context["form"].fields


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"width": "8"}, "width"),
        ({"height": ""}, "height"),
        ({"steps": "9000"}, "steps"),
        ({"guidance": "101"}, "guidance"),
        ({"seed": ""}, "seed"),
        ({"seed_policy": ""}, "seed"),
    ],
)
def test_profiles_that_cannot_work_are_refused_at_the_field(
    admin: Client, change: dict[str, str], field: str
) -> None:
    response = admin.post(reverse(f"{BASE}:add"), FORM | change)
    assert set(response.context["form"].errors) == {field}


def test_profiles_are_versioned_compared_and_restored(admin: Client) -> None:
    assert admin.post(reverse(f"{BASE}:add"), FORM).status_code == 302
    profile = GenerationProfile.objects.get()
    edit = reverse(f"{BASE}:edit", args=[profile.pk])
    assert admin.post(edit, FORM | {"negative": "text, frame"}).status_code == 302
    older, newer = profile.revisions.order_by("pk")
    compare = reverse(f"{BASE}:revisions_compare", args=[profile.pk, older.pk, newer.pk])
    page = admin.get(compare).content.decode()
    assert '<span class="deletion">logo</span><span class="addition">frame</span>' in page
    assert admin.post(edit, FORM | {"revision": older.pk}).status_code == 302
    profile.refresh_from_db()
    assert (profile.negative, profile.revisions.count()) == ("text, logo", 3)


def test_profiles_need_their_own_permission(
    browse: Callable[[User], Client], person: Callable[..., User]
) -> None:
    client = browse(person("ben", "generate", "view", "change"))
    for name in ("add", "list"):
        assert client.get(reverse(f"{BASE}:{name}")).url == "/admin/"
