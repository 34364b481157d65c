"""Typing a brief finds earlier pictures; one is taken as a start and a style by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from wagtail.models import Collection

from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval import memory
from imagepipe.retrieval.indexing import index_pending
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.style_actions import AddStyle
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import GENERATE, overflow, violations
from tests.studio.test_suggestions import held_out, keep

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CLIP = Path(__file__).parents[2] / "fixtures/models/pocket-clip"
CLEARED = {"licence": "own", "rights_holder": "Ada", "following": "own"}


@pytest.fixture
def shelf(editor: User) -> None:
    memory._known.clear()
    RegisteredModel.objects.create(
        kind="clip", slug="pocket-clip", name="Pocket CLIP", licence="MIT", state="allowed",
        location=str(CLIP), sha256="c" * 64,
    )  # fmt: skip
    root = Collection.get_first_root_node()
    for number in (0, 9, 18, 27):
        image, text = held_out(number)
        version = keep(image, text.capitalize(), root)
        SetRights(version.asset, None, values=CLEARED).execute()
        AddStyle(version, editor, name=f"House {number}", words="soft, plain").execute()
    assert index_pending() == 4


def test_earlier_pictures_are_found_and_used_by_keyboard(
    shelf: None, page: Page, open_browser: Callable[..., Page],
    shoot: Callable[[Page, str], None],
) -> None:  # fmt: skip
    _image, text = held_out(9)
    page.goto(GENERATE)
    page.get_by_label("Brief", exact=False).first.fill(text)
    start = page.get_by_role("button", name=f"Start from “{text.capitalize()}”")
    start.wait_for()
    assert violations(page) == []
    page.locator(".imagepipe-suggest").evaluate("part => part.scrollIntoView()")
    shoot(page, "suggestions")
    start.focus()
    page.keyboard.press("Enter")
    news = page.locator("[data-imagepipe-suggest-target=news]")
    assert news.inner_text() == f"Starts from “{text.capitalize()}”."
    page.get_by_role("button", name=f"Use the style of “{text.capitalize()}”").press("Enter")
    assert page.get_by_label("Style", exact=True).locator("option:checked").inner_text() == (
        "House 9"
    )
    assert page.locator("[name=start_from]").input_value().endswith("/1")
    assert violations(page) == []
    phone = open_browser(viewport=PHONE, color_scheme="dark")
    phone.goto(GENERATE)
    phone.get_by_label("Brief", exact=False).first.fill(text)
    phone.get_by_role("button", name=f"Start from “{text.capitalize()}”").wait_for()
    assert overflow(phone) == 0
    phone.locator(".imagepipe-suggest").evaluate("part => part.scrollIntoView()")
    shoot(phone, "suggestions-phone")
    page.goto("/admin/imagepipe/styles/")
    assert violations(page) == []
    shoot(page, "styles")
