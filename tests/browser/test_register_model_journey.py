"""Registering a model in the admin, from the listing to the entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.worker import Worker
from tests.browser.conftest import MODEL, PHONE
from tests.browser.studio_pages import overflow, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LISTING = "/admin/imagepipe/models/"
FORM = f"{LISTING}register/"


def test_a_model_is_registered_from_the_listing_with_the_keyboard(
    open_browser: Callable, editor: User, settings: Any, shoot: Callable
):
    example = {"MODEL_FOLDERS": ["/srv/models"], "HUB_MODELS": ["stabilityai/*"]}
    settings.IMAGEPIPE = settings.IMAGEPIPE | example
    for scheme, name in (("dark", "register-model-dark"), ("light", "register-model")):
        page = open_browser(FORM, color_scheme=scheme)
        page.get_by_label("Folder or id").fill("stabilityai/stable-diffusion-xl-base-1.0")
        page.get_by_label("Variant").fill("fp16")
        page.get_by_label("Folder or id").focus()
        assert violations(page) == []
        shoot(page, name)
    phone = open_browser(FORM, viewport=PHONE)
    assert overflow(phone) <= 0
    shoot(phone, "register-model-phone")

    settings.IMAGEPIPE = settings.IMAGEPIPE | {"MODEL_FOLDERS": [MODEL.parent]}
    page.goto(LISTING)
    page.get_by_role("link", name="Register a model").click()
    page.get_by_label("Folder or id").fill("/etc")
    page.get_by_role("button", name="Register", exact=True).click()
    page.get_by_text("not below one that the setting MODEL_FOLDERS names").wait_for()
    page.get_by_label("Folder or id").fill(str(MODEL.parent / "pocket-mint"))
    page.get_by_label("Licence", exact=True).fill("MIT")
    page.get_by_label("Licence", exact=True).press("Enter")
    page.wait_for_url("**/runs/*/")
    assert violations(page) == []
    assert Worker().run_until_empty() == 1
    page.get_by_text("The model is registered").first.wait_for()
    model = RegisteredModel.objects.get(slug="pocket-mint")
    assert (model.kind, model.licence, model.state) == ("embedding", "MIT", "registered")
    page.goto(LISTING)
    page.get_by_text("pocket-mint").first.wait_for()
