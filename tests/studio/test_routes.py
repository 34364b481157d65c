"""Purposes in the Generate form, and the page that says what the routes are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.queue_models import EngineHealth

pytestmark = pytest.mark.django_db
GENERATE, LIMITS, ROUTES = (
    "/admin/imagepipe/generate/", "/admin/imagepipe/generate/limits/",
    "/admin/imagepipe/engines/routes/",
)  # fmt: skip


@pytest.fixture
def quick(model: RegisteredModel) -> RegisteredModel:
    return RegisteredModel.objects.create(
        slug="quick", name="Quick", backend="fake", location="fake", licence="MIT",
        native_width=64, native_height=64, defaults={"steps": 2}, state="allowed",
    )  # fmt: skip


@pytest.fixture
def routed(settings: Any, model: RegisteredModel, quick: RegisteredModel) -> None:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {
        "ROUTES": {"ideation": "quick", "production": "sketch"},
        "FALLBACKS": {"sketch": "quick"},
    }


def brief(**values: str) -> dict[str, str]:
    return {
        "title": "Boat", "template": "", "prompt": "a blue boat", "candidates": "1",
        "width": "64", "height": "64", "sheet": "one",
    } | values  # fmt: skip


def test_the_purpose_names_the_model(
    admin: Client, routed: None, quick: RegisteredModel, model: RegisteredModel
) -> None:
    page = admin.get(GENERATE)
    assertContains(page, "Ideas (Quick)")
    assertContains(page, "Production (Sketch)")
    for purpose, expected in (("ideation", quick), ("production", model), ("", model)):
        assert admin.post(GENERATE, brief(purpose=purpose)).status_code == 302
        run = Run.objects.latest("pk")
        assert (run.model, run.request["purpose"]) == (expected, purpose or None)
    admin.post(GENERATE, brief(purpose="ideation", model=str(model.pk)))
    assert Run.objects.latest("pk").model == model, "who names a model gets it"
    count = Run.objects.count()
    assertContains(admin.post(GENERATE, brief(purpose="art")), "Select a valid choice")
    assert Run.objects.count() == count


def test_without_routes_nobody_is_asked(
    admin: Client, quick: RegisteredModel, settings: Any
) -> None:
    assertNotContains(admin.get(GENERATE), 'name="purpose"')
    assertContains(admin.post(GENERATE, brief()), "Choose a model")
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"ROUTES": {"production": "quick"}}
    assertNotContains(admin.get(GENERATE), 'name="purpose"')
    assert admin.post(GENERATE, brief()).status_code == 302
    assert Run.objects.get().model == quick


def test_an_engine_without_seeds_greys_the_seed_out(
    admin: Client, routed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert admin.get(LIMITS, {"purpose": "ideation"}).json()["fields"] == {}
    seedless = Capabilities(schedulers=("sketch",), supports_seed=False)
    monkeypatch.setattr(FakeBackend, "capabilities", lambda self, model=None: seedless)
    fields = admin.get(LIMITS, {"purpose": "ideation"}).json()["fields"]
    assert fields["seed"].startswith("Not reproducible")
    assertContains(admin.get(ROUTES), "Not reproducible: takes no seed.")


def test_the_page_says_which_engine_is_healthy(
    admin: Client, routed: None, person: Callable[..., User], browse: Callable[..., Client]
) -> None:
    page = admin.get(ROUTES)
    for words in ("Ideas", "Production", "Ready", "Quick"):
        assertContains(page, words)
    health = EngineHealth.objects.create(name="fake", failures=2, last_error="no route to host")
    assertContains(admin.get(ROUTES), "failed 2 times in a row")
    health.open_until = timezone.now() + dt.timedelta(minutes=5)
    health.save()
    assertContains(admin.get(ROUTES), "Rests after failures until")
    assertContains(admin.get(ROUTES), "no route to host")
    plain = browse(person("gerd", "generate")).get(ROUTES)
    assertContains(plain, "Rests after failures until")
    assertNotContains(plain, "no route to host")
    assert browse(person("pia", "publish")).get(ROUTES).status_code in (302, 403)
    RegisteredModel.objects.filter(slug="quick").update(state="retired")
    assertContains(admin.get(ROUTES), "The model is not allowed.")
    RegisteredModel.objects.filter(slug="quick").delete()
    assertContains(admin.get(ROUTES), "There is no such model.")


def test_the_recipe_says_what_was_not_as_asked_for(
    admin: Client, candidate: Candidate
) -> None:
    candidate.recipe |= {"warnings": ["Adapters were left out.", "<b>Sic</b>"]}
    candidate.save()
    page = admin.get(reverse("imagepipe_admin:candidate", args=[candidate.uid]))
    assertContains(page, "Not as asked for")
    assertContains(page, "Adapters were left out. &lt;b&gt;Sic&lt;/b&gt;")
