"""Money on the pages: what it will cost before it is started, what it has cost afterwards."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from imagepipe.audit.models import AuditEvent
from imagepipe.generation.actions import CreateEngine
from imagepipe.generation.models import Engine
from imagepipe.generation.prices import price_of
from imagepipe.workflow.models import Run
from imagepipe.workflow.queue_models import Quota

pytestmark = pytest.mark.django_db
PLACE = reverse("imagepipe_admin:generation_cost")


@pytest.fixture
def paid(settings: Any) -> None:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"ENGINE_PRICES": {"fake": {"picture": "0.3"}}}


def test_the_form_asks_what_its_pictures_cost_and_is_told_what_is_left(
    admin, model, template, paid, browse, person
):
    page = admin.get(reverse("imagepipe_admin:generate")).content.decode()
    assert f'data-imagepipe-cost-url-value="{PLACE}"' in page and "imagepipe/cost.js" in page

    def said(**values: Any) -> str:
        return admin.get(PLACE, values).json()["cost"]

    assert said(template=template.pk, candidates="4") == "About 1.20 EUR for 4 pictures."
    assert said(model=model.pk, candidates="1") == "About 0.30 EUR for 1 picture."
    Quota.objects.create(unit="cost", amount=1, period="week")
    assert said(model=model.pk, candidates="1").endswith("0.00 are used of 1 EUR / Week.")
    assert said(model=model.pk, candidates="4").endswith("That is more than is left.")
    for nonsense in ("", "-1", "x", "9" * 50):
        assert said(model=model.pk, candidates=nonsense) == ""
    assert browse(person("rita", "review")).get(PLACE).status_code in (302, 403)


def test_nothing_is_said_where_pictures_are_free(admin, template, run):
    values = {"template": template.pk, "candidates": "4"}
    assert admin.get(PLACE, values).json() == {"cost": ""}
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid]))
    assertNotContains(page, "<dt>Cost</dt>")


def test_the_page_of_a_run_says_what_is_expected_and_then_what_was_spent(
    admin, paid, start, finish
):
    run = start(candidates=2)
    address = reverse("imagepipe_admin:run", args=[run.uid])
    assertContains(admin.get(address), "0.00 EUR of about 0.60 EUR")
    finish(run)
    page = admin.get(address)
    assertContains(page, "0.60 EUR")
    assertContains(page, "generate-01, fake: 0.30 EUR")


def test_a_matrix_says_its_price_and_a_refusal_leads_to_asking_for_more(
    admin, paid, template, root
):
    address = reverse("imagepipe_admin:matrix")
    sheet = re.search(r'name="sheet" value="([^"]+)"', admin.get(address).content.decode())
    assert sheet is not None
    values = {
        "sheet": sheet[1], "title": "Cups", "template": template.pk, "candidates": 1,
        "seed": 7, "collection": root.pk, "field1": "variable:subject",
        "values1": "red cup\nblue cup\ngreen cup\ngrey cup",
    }  # fmt: skip
    assertContains(admin.post(address, values), "about 1.20 EUR")
    quota = Quota.objects.create(unit="cost", amount=1)
    page = admin.post(address, values)
    assertContains(page, "0.00 used, 1.20 for this, of 1")
    ask = reverse("imagepipe_admin:quota_ask", args=[quota.pk])
    assertContains(page, ask)
    assertContains(admin.post(address, values | {"start": "1"}), ask)
    assert not Run.objects.exists()
    assertContains(admin.get(ask), "0.00 of 1 (EUR) are used")


def test_an_engine_has_prices_that_the_trail_remembers(admin):
    form = {"name": "images", "kind": "openai-images", "address": "https://e.example/v1",
            "options": "{}", "key": "", "concurrent": "", "per_minute": ""}  # fmt: skip
    add = reverse("imagepipe_admin:engine_add")
    assertContains(admin.post(add, form | {"price_per_picture": "-1"}), "greater than")
    admin.post(add, form | {"price_per_picture": "0.042"})
    engine = Engine.objects.get()
    assert price_of("images").cost(2, 9) == Decimal("0.084")
    assertContains(admin.get(reverse("imagepipe_admin:engines")), "0.0420 EUR per picture")
    page = reverse("imagepipe_admin:engine", args=[engine.pk])
    assertContains(admin.get(page), 'value="0.042"')
    admin.post(page, form | {"price_per_second": "0.5"})
    assert price_of("images").cost(2, 9) == Decimal("4.5")
    prices = AuditEvent.objects.order_by("pk").values_list("data__prices", flat=True)
    assert list(prices) == [["0.042", "0"], ["0", "0.5"]]


def test_an_engine_s_price_can_be_given_in_the_settings_too(paid, settings):
    engine = Engine(name="images", kind="openai-images", address="https://e.example/v1")
    CreateEngine(engine, None).execute()
    assert price_of("images").cost(1, 1) == 0
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"ENGINE_PRICES": {"images": {"second": 1}}}
    assert price_of("images").cost(1, 3) == 3
