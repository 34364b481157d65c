"""The steps of docs/tutorial/first-picture.md, by the people of the demonstration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import DESKTOP, PATIENCE
from tests.browser.demonstration import Demonstration

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.journey]

BRIEF, OBJECT, PAGE = "A mushroom for autumn", "mushroom", "Mushrooms"
LogIn = Callable[[str], "Page"]
Shoot = Callable[["Page", str], None]


@pytest.fixture
def log_in(browser: Browser, demonstration: Demonstration) -> Iterator[LogIn]:
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def log_in(name: str) -> Page:
        context = browser.new_context(
            base_url=demonstration.url, viewport=DESKTOP, color_scheme="light"
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.route("**gravatar.com/**", lambda route: route.abort())
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/admin/")
        page.get_by_label("Username").fill(name)
        page.locator("#id_password").fill(demonstration.passwords[name])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        return page

    yield log_in
    for context in contexts:
        context.close()
    assert errors == []


def open_studio(page: Page, entry: str) -> None:
    menu = page.locator("#wagtail-sidebar")
    menu.get_by_role("button", name="Studio").click()
    menu.get_by_role("link", name=entry, exact=True).click()
    page.get_by_role("heading", level=1, name=entry).wait_for()


def open_picture(page: Page) -> None:
    open_studio(page, "Pictures")
    page.get_by_role("link", name=BRIEF).first.click()
    page.get_by_text("Before publication").wait_for()


def open_front_page(page: Page) -> None:
    menu = page.locator("#wagtail-sidebar")
    menu.get_by_role("button", name="Pages").click()
    menu.get_by_role("link", name="Things worth a second look").first.click()
    page.get_by_role("link", name="Add child page").first.wait_for()


def test_the_tutorial(log_in: LogIn, demonstration: Demonstration, shoot: Shoot) -> None:
    editor = log_in("editor")
    ask(editor, shoot)
    reviewer = log_in("reviewer")
    approve(reviewer, shoot)
    describe(editor)
    record_rights(log_in("rights"), shoot)
    publisher = log_in("publisher")
    publish_picture(publisher, shoot)
    write_page(editor, shoot)
    publish_page(publisher)
    visit(publisher.context.browser, demonstration, shoot, pictures=1)
    withdraw(publisher)
    visit(publisher.context.browser, demonstration, None, pictures=0)


def ask(page: Page, shoot: Shoot) -> None:
    open_studio(page, "Generate")
    page.get_by_label("Brief").fill(BRIEF)
    page.get_by_label("Prompt template").select_option(label="Small object with room around it")
    page.get_by_label("Object").select_option(OBJECT)
    page.get_by_label("Background").select_option("a green")
    assert page.get_by_label("Candidates").input_value() == "4"
    shoot(page, "first-picture-brief")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")
    page.get_by_text("All pictures are there.").first.wait_for()
    page.locator("article.imagepipe-card .imagepipe-checks").nth(3).wait_for()
    assert page.get_by_role("link", name="Approve picture 1").count() == 0
    page.evaluate("window.scrollTo(0, 0)")


def approve(page: Page, shoot: Shoot) -> None:
    open_studio(page, "To review")
    page.get_by_role("link", name="wait for a decision").click()
    page.get_by_role("link", name=BRIEF).click()
    page.get_by_role("link", name="Approve picture 1").wait_for()
    shoot(page, "first-picture-candidates")
    page.get_by_role("link", name="Approve picture 1").click()
    page.get_by_role("button", name="Approve picture").click()
    page.get_by_text("The list says what publication still needs.").wait_for()
    assert page.get_by_text("Record licence and rights holder.").is_visible()
    assert page.get_by_text("Write an alternative text").is_visible()
    page.goto(page.url)
    shoot(page, "first-picture-approved")


def describe(page: Page) -> None:
    open_picture(page)
    page.get_by_role("link", name="Edit alternative texts").click()
    page.get_by_label("Alternative text (English)").fill("A mushroom with a red cap")
    page.get_by_label("Alternative text (German)").fill("Ein Pilz mit rotem Hut")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("There is an alternative text").wait_for()


def record_rights(page: Page, shoot: Shoot) -> None:
    open_picture(page)
    page.get_by_role("link", name="Edit rights").click()
    page.locator("#id_licence").fill("CC0 1.0")
    page.get_by_label("Rights holder").fill("The Harbour Room")
    shoot(page, "first-picture-rights")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The rights were saved.").wait_for()


def publish_picture(page: Page, shoot: Shoot) -> None:
    open_picture(page)
    page.get_by_role("button", name="Publish version 1").click()
    page.get_by_text("Version 1 was published.").wait_for()
    page.get_by_text("Unchanged since it was signed here").wait_for()


def write_page(page: Page, shoot: Shoot) -> None:
    open_front_page(page)
    page.get_by_role("link", name="Add child page").first.click()
    page.wait_for_url("**/add/**")
    page.get_by_role("textbox", name="Title").first.fill(PAGE)
    page.get_by_role("textbox", name="Lead").fill("Look, but do not eat.")
    page.get_by_role("button", name="Choose an image").first.click()
    page.locator(".modal-body").get_by_role("link", name=BRIEF).first.click()
    page.get_by_label("Alternative text for this use").wait_for()
    page.locator(".modal-backdrop").wait_for(state="detached")
    shoot(page, "first-picture-page")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text(f"Page '{PAGE}'").wait_for()


def publish_page(page: Page) -> None:
    open_front_page(page)
    page.get_by_role("link", name=PAGE, exact=True).click()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("has been published").wait_for()


def visit(
    browser: Browser, demonstration: Demonstration, shoot: Shoot | None, *, pictures: int
) -> None:
    context = browser.new_context(base_url=demonstration.url, viewport=DESKTOP)
    page = context.new_page()
    page.goto(f"/en/{PAGE.lower()}/")
    page.get_by_role("heading", name=PAGE).wait_for()
    shown = page.get_by_role("img", name="A mushroom with a red cap")
    assert shown.count() == pictures
    if pictures:
        assert shown.evaluate("i => i.decode().then(() => i.naturalWidth)") > 0
        assert page.get_by_text("AI-generated").is_visible()
    listed = context.request.get("/sitemap-images.xml").text()
    assert (f"/en/{PAGE.lower()}/" in listed) == bool(pictures)
    if shoot:
        shoot(page, "first-picture-published")
    context.close()


def withdraw(page: Page) -> None:
    open_picture(page)
    page.get_by_text("Withdraw from all pages").click()
    page.get_by_label("Reason").fill("The season is over.")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_text("The picture was withdrawn from all pages.").wait_for()
