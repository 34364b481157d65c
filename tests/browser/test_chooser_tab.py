"""From an empty picture field to a generated, published picture, without leaving the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from wagtail.models import Page as WagtailPage

from imagepipe.assets.models import Asset
from imagepipe.workflow.models import Run
from imagepipe.workflow.worker import Worker
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import RULES, wait_for_end
from tests.fields.models import ReportPage, Teaser

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Shoot = Callable[..., None]
MODAL = ".modal.in"
TAB = f"{MODAL} #tab-generate"
ADD_TEASER = "/admin/snippets/imagepipe_fields/teaser/add/"


@pytest.fixture
def hero(settings: Any) -> None:
    options = {"template": "product", "ratios": [[16, 9]]}
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"PROFILES": {"default": options}}


def violations(page: Page, part: str = MODAL) -> list[str]:
    """What axe finds inside a part of the page."""
    found = Axe().run(page, context=part, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        for node in rule["nodes"]
    ]


def generate(page: Page, *, subject: str, candidates: int = 2) -> None:
    modal = page.locator(TAB)
    modal.get_by_label("Object").fill(subject)
    modal.get_by_label("Candidates").fill(str(candidates))
    modal.get_by_text("Model, seed and size").click()
    modal.get_by_label("Seed").fill("7")
    modal.get_by_role("button", name="Generate", exact=True).click()
    wait_for_end(page)


def use_first(page: Page, title: str) -> None:
    modal = page.locator(TAB)
    modal.get_by_role("button", name="Use this picture: picture 1").click()
    modal.get_by_label("Title").fill(title)
    modal.get_by_label("Alternative text (English)").fill("A panda on blue")


def test_a_picture_for_a_snippet(
    open_browser: Callable[..., Page], hero: None, worker: Worker, shoot: Shoot
) -> None:
    page = open_browser(ADD_TEASER)
    page.locator("#id_title").fill("Zoo")
    field = page.locator("#panel-hero-section")
    field.get_by_role("button", name="Generate").click()
    modal = page.locator(MODAL)
    modal.get_by_role("tab", name="Generate", selected=True).wait_for()
    assert modal.get_by_label("Brief").input_value() == "Zoo"
    assert violations(page) == []
    generate(page, subject="panda", candidates=4)
    assert violations(page) == []
    shoot(page, "chooser-generate")
    use_first(page, "Panda")
    assert violations(page) == []
    modal.get_by_role("button", name="Publish and use").click()
    modal.wait_for(state="detached")

    asset = Asset.objects.get()
    assert asset.title == "Panda"
    assert field.locator(".chooser__title").inner_text() == "Panda"
    field.get_by_label("Alternative text for this use").fill("Our panda")
    field.get_by_text("Crop for this use").click()
    field.get_by_role("button", name="Largest 16:9").click()
    assert violations(page, "#panel-hero-section") == []
    shoot(page, "image-field")
    page.wait_for_url("**/teaser/edit/*/")  # Wagtail saves drafts by itself
    with page.expect_navigation():
        page.get_by_role("button", name="Save draft").click()
    teaser = Teaser.objects.get()
    assert teaser.hero_id == asset.image_id
    assert teaser.hero_use["alt_text"] == "Our panda"
    left, top, width, height = teaser.hero_use["crop"]
    assert (left, width) == (0, 1)
    assert height == pytest.approx(9 / 16, abs=0.001)
    assert top == pytest.approx((1 - height) / 2, abs=0.001)


def test_more_like_the_chosen_picture(
    open_browser: Callable[..., Page], hero: None, worker: Worker
) -> None:
    page = open_browser(ADD_TEASER)
    field = page.locator("#panel-hero-section")
    field.get_by_role("button", name="Generate").click()
    page.locator(MODAL).get_by_label("Brief").fill("A panda")
    generate(page, subject="panda", candidates=1)
    use_first(page, "A panda")
    page.locator(MODAL).get_by_role("button", name="Publish and use").click()
    page.locator(MODAL).wait_for(state="detached")
    field.get_by_role("button", name="Vary").click()
    wait_for_end(page)
    first, second = Run.objects.order_by("pk")
    assert second.variation_of.run == first
    use_first(page, "Another panda")
    page.locator(MODAL).get_by_role("button", name="Publish and use").click()
    page.locator(MODAL).wait_for(state="detached")
    assert field.locator(".chooser__title").inner_text() == "Another panda"


def test_in_the_stream_of_a_page_in_the_dark_on_a_phone(
    open_browser: Callable[..., Page], hero: None, worker: Worker, shoot: Shoot, settings: Any
) -> None:
    settings.WAGTAIL_AUTOSAVE_INTERVAL = 0  # which may be under way when a script publishes
    root = WagtailPage.get_first_root_node()
    add = f"/admin/pages/add/imagepipe_fields/reportpage/{root.pk}/"
    page = open_browser(add, color_scheme="dark", viewport=PHONE)
    page.locator("#id_title").fill("Story")
    block = page.locator("#panel-child-content-body-section")
    block.locator(".c-sf-add-button").first.click()
    block.get_by_role("button", name="Generate").click()
    generate(page, subject="panda", candidates=1)
    assert violations(page) == []
    shoot(page, "chooser-generate-dark")
    use_first(page, "Panda")
    page.locator(MODAL).get_by_role("button", name="Publish and use").click()
    page.locator(MODAL).wait_for(state="detached")
    assert block.locator(".chooser__title").inner_text() == "Panda"
    assert block.get_by_label("Alt text").input_value() == "A panda on blue"
    block.get_by_role("button", name="Largest 16:9").click()
    block.locator(".imagepipe-crop__preview").wait_for()
    block.get_by_role("button", name="Vary").wait_for()
    assert violations(page, "#panel-child-content-body-section [data-contentpath=crop]") == []
    page.evaluate("document.querySelector('[name=action-publish]').click()")
    page.wait_for_url(f"**/admin/pages/{root.pk}/")
    story = ReportPage.objects.get()
    assert story.live
    assert story.body[0].value.pk == Asset.objects.get().image_id
    assert story.body[0].value.contextual_crop[2] == 10_000
