"""Connecting an engine by keyboard, in both themes and on a telephone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from imagepipe.generation.actions import CreateEngine, SwitchEngine
from imagepipe.generation.models import Engine
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import darken, overflow, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LISTING = "/admin/imagepipe/engines/"
KEY = "sk-never-shown-0123"


@pytest.fixture
def engine(editor: User) -> Engine:
    def enter(name: str, kind: str, address: str, key: str = "") -> Engine:
        made = Engine(name=name, kind=kind, address=address, concurrent=1)
        return CreateEngine(made, editor, key=key).execute()

    images = enter("images", "openai-images", "https://images.example/v1", KEY)
    enter("studio-forge", "automatic1111", "http://forge.studio.example:7860")
    old = enter("old-comfy", "comfyui", "http://10.0.0.9:8188")
    SwitchEngine(old, editor, on=False).execute()
    return images


def test_the_pages_pass_axe_in_both_themes(
    open_browser: Callable, engine: Engine, shoot: Callable
):
    pages = {"engines": LISTING, "engine": f"{LISTING}{engine.pk}/", "add": f"{LISTING}add/"}
    page = open_browser()
    for name, address in pages.items():
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], name
        assert KEY not in page.content()
        if name != "add":
            shoot(page, name)
        assert darken(page) == [], name
        if name != "add":
            shoot(page, f"{name}-dark")


def test_a_telephone_needs_no_sideways_scrolling(
    open_browser: Callable, engine: Engine, shoot: Callable
):
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True)
    for name, address in (("engines", LISTING), ("engine", f"{LISTING}{engine.pk}/")):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert overflow(page) == 0, name
        shoot(page, f"{name}-phone")


def test_an_engine_is_connected_by_keyboard_and_a_wrong_address_is_told(
    open_browser: Callable, editor: User
):
    page = open_browser()
    page.goto(f"{LISTING}add/")
    page.locator("#id_name").focus()
    page.keyboard.type("comfy")
    page.keyboard.press("Tab")
    page.keyboard.type("Com")
    page.locator("#id_address").focus()
    page.keyboard.type("ftp://comfy")
    page.keyboard.press("Enter")
    page.get_by_text("begins with http://").first.wait_for()
    assert not Engine.objects.exists()
    page.locator("#id_address").fill("http://127.0.0.1:8188")
    page.locator("#id_key").fill(KEY)
    page.keyboard.press("Enter")
    page.get_by_text("The engine “comfy” was saved.").wait_for()
    assert Engine.objects.get().kind == "comfyui"
    assert KEY not in page.content()
