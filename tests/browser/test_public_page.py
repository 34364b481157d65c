"""What visitors see: the pages of the demonstration with pictures from a real edge."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.demonstration import Demonstration
from tests.browser.studio_pages import overflow, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.journey]

HOME, STORY, TWENTY = "/en/", "/en/up-there/", "/en/twenty-things/"
PICTURES = {HOME: 6, STORY: 4, TWENTY: 21, "/de/": 6, "/de/zwanzig-dinge/": 21}
LOAD = """async () => {
    for (const image of document.images) {
        image.scrollIntoView({behavior: 'instant', block: 'center'});
        if (!image.complete) {
            await new Promise(resolve => { image.onload = image.onerror = resolve; });
        }
    }
    scrollTo(0, 0);
}"""
"""As a reader does: a lazy picture made eager would be chosen anew, its request aborted."""
Open = Callable[..., "Page"]


@pytest.fixture
def visit(browser: Browser, demonstration: Demonstration) -> Iterator[Open]:
    """Open a page as a visitor; scripts and requests must not fail."""
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def visit(path: str, **options: object) -> Page:
        options = {"viewport": DESKTOP, "color_scheme": "light"} | options
        context = browser.new_context(base_url=demonstration.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "requestfailed",
            lambda request: failures.append(f"{request.failure}: {request.url}"),
        )
        page.on(
            "response",
            lambda answer: answer.ok or failures.append(f"{answer.status}: {answer.url}"),
        )
        page.goto(path)
        page.evaluate(LOAD)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert failures == []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", PICTURES)
def test_every_picture_is_loaded_from_the_edge(
    visit: Open, demonstration: Demonstration, path: str, viewport: dict[str, int]
) -> None:
    page = visit(path, viewport=viewport)
    found = page.evaluate(
        "[...document.images].map(image => [image.currentSrc, image.naturalWidth, image.alt])"
    )
    assert len(found) == PICTURES[path]
    for address, width, alternative in found:
        assert address.startswith(f"{demonstration.edge_url}/")
        assert address.endswith(".avif")
        assert width > 0
        assert alternative


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [HOME, STORY, TWENTY])
def test_nothing_bars_anybody(visit: Open, path: str, scheme: str) -> None:
    assert violations(visit(path, color_scheme=scheme)) == []


@pytest.mark.parametrize("path", PICTURES)
def test_a_phone_need_not_scroll_sideways(visit: Open, path: str) -> None:
    assert overflow(visit(path, viewport=PHONE)) <= 0


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_licence_page(
    visit: Open, shoot: Callable[[Page, str], None], demonstration: Demonstration, look: str
) -> None:
    listed = json.loads(visit(STORY).locator("script[type='application/ld+json']").inner_text())
    hero = listed["@graph"][0]
    address = hero["acquireLicensePage"]
    assert address.startswith(f"{demonstration.url}/")
    options = {"viewport": PHONE} if look == "phone" else {"color_scheme": look}
    page = visit(address, **options)
    assert page.get_by_role("heading", level=1).inner_text() == hero["name"]
    assert page.get_by_role("img").evaluate("image => image.naturalWidth") > 0
    assert page.get_by_text(hero["identifier"][0]["value"]).is_visible()
    assert violations(page) == []
    assert overflow(page) <= 0
    shoot(page, "licence" if look == "light" else f"licence-{look}")


def test_programs_find_the_information_of_a_picture(visit: Open) -> None:
    page = visit(STORY)
    link = page.locator("link[type='application/json+oembed']")
    answer = page.request.get(link.get_attribute("href") or "")
    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (told["type"], told["version"]) == ("photo", "1.0")
    picture = page.request.get(told["url"])
    assert picture.ok
    with Image.open(io.BytesIO(picture.body())) as shown:
        assert shown.size == (told["width"], told["height"])


def test_generated_pictures_say_so(visit: Open) -> None:
    page = visit(TWENTY)
    assert page.get_by_text("AI-generated").count() == 12
    assert (
        page.get_by_role("figure").get_by_role("img", name="The face of a panda").count() == 1
    )
    assert page.get_by_role("figure").get_by_role("img", name="Grey gravel").count() == 0


def test_pictures_of_the_documentation(visit: Open, shoot: Callable[[Page, str], None]) -> None:
    for name, path, options in (
        ("page-desktop", HOME, {}),
        ("page-dark", HOME, {"color_scheme": "dark"}),
        ("page-phone", STORY, {"viewport": PHONE}),
    ):
        page = visit(path, **options)
        assert page.locator("h1").is_visible()
        shoot(page, name)
