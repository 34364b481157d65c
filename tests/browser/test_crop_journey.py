"""An editor corrects crops, with mouse and keyboard, for a picture and for one use of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from PIL import Image
from wagtail.models import Page as WagtailPage

from imagepipe.assets.actions import IngestVersion, SetAltText
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.crop_actions import SetCrop
from imagepipe.delivery.crop_models import NamedCrop, crops_of
from imagepipe.delivery.images import project_quietly
from imagepipe.delivery.legibility import headline_contrast
from imagepipe.review.actions import ApproveVersion
from imagepipe.rights.actions import SetRights
from imagepipe.views.crop_details import CropReport
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import overflow, violations
from tests.fields.models import ReportPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRAME = ".imagepipe-crop__part"
CUT = "The edge cuts through a face."
TIGHT = "No part of this shape holds everything that matters."
Shoot = Callable[..., None]


@pytest.fixture
def asset(editor: User) -> Asset:
    """A published photograph of an astronaut's face and more."""
    from skimage import data

    pytest.importorskip("cv2", reason="the extra “faces” is missing")
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).save(file, "PNG")
    content = file.getvalue()
    new = Asset(title="Astronaut")
    version = IngestVersion(
        new, editor, content=content, facts=inspect_picture(content), origin="uploaded"
    ).execute()
    asset = version.asset
    SetAltText(asset, editor, texts={"en": "An astronaut smiles."}).execute()
    SetRights(asset, editor, values={"licence": "CC0", "rights_holder": "NASA"}).execute()
    ApproveVersion(version, None).execute()
    PublishVersion(version, editor).execute()
    project_quietly(asset.uid)
    asset.refresh_from_db()
    return asset


def address(asset: Asset, name: str) -> str:
    return f"/admin/imagepipe/pictures/{asset.uid}/versions/1/crops/{name}/"


def numbers(page: Page | Locator) -> list[float]:
    labels = ("Left (%)", "Top (%)", "Width (%)", "Height (%)")
    return [float(page.get_by_label(label).input_value()) for label in labels]


def centre(page: Page, part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pull(page: Page, part: Locator, x: float, y: float) -> None:
    """With the mouse, by so many pixels."""
    left, top = centre(page, part)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + x / 2, top + y / 2)
    page.mouse.move(left + x, top + y)
    page.mouse.up()


def shown_by(shot: Locator) -> list[float]:
    """Which part of its picture a preview shows: shares, as the browser has laid it out."""
    found: list[float] = shot.evaluate(
        """shot => {
            const box = shot.getBoundingClientRect();
            const image = shot.querySelector('img').getBoundingClientRect();
            return [(box.left - image.left) / image.width, (box.top - image.top) / image.height,
                    box.width / image.width, box.height / image.height];
        }"""
    )
    return found


def test_a_crop_by_mouse_and_keyboard(
    open_browser: Callable[..., Page], asset: Asset, shoot: Shoot
) -> None:
    page = open_browser(f"/admin/imagepipe/pictures/{asset.uid}/")
    page.get_by_role("link", name="Hero").click()
    page.wait_for_url("**/crops/hero/")
    frame = page.locator(FRAME)
    first = numbers(page)
    assert first[2:] == [100.0, 56.25]
    assert page.get_by_text(CUT).is_hidden()

    pull(page, frame, 0, 60)
    moved = numbers(page)
    assert moved[1] > first[1] and moved[2:] == first[2:]
    page.get_by_text(CUT).wait_for()
    for shot in page.locator(".imagepipe-crop__device .imagepipe-crop__shot").all():
        expected = [number / 100 for number in moved]
        assert shown_by(shot) == pytest.approx(expected, abs=0.01)

    page.get_by_role("button", name="Suggestion").click()
    page.get_by_text(CUT).wait_for(state="hidden")
    assert numbers(page) == first
    pull(page, page.locator("[data-corner='1 1']"), -200, -100)
    small = numbers(page)
    assert small[2] < 80 and small[2] / small[3] == pytest.approx(16 / 9, rel=0.01)
    assert small[:2] == first[:2]

    frame.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "+"):
        page.keyboard.press(key)
    typed = numbers(page)
    assert typed[0] == pytest.approx(small[0] + 1, abs=0.05)
    assert typed[2] == pytest.approx(small[2] + 2, abs=0.05)
    page.get_by_text("Left 1 %").wait_for(state="attached")
    page.get_by_label("Width (%)").fill("60")
    assert numbers(page)[3] == pytest.approx(33.75)

    said = page.locator("[data-imagepipe-crop-target=contrastWarning] span").inner_text()
    region = tuple(round(number * 100) for number in numbers(page))
    report = CropReport(asset.published_version)
    headline = report.state("hero").shape.headline
    found = headline_contrast(report.grid, region, headline)
    if found < headline.contrast:
        assert f"contrast {found:.1f}" in said
    else:
        assert page.locator("[data-imagepipe-crop-target=contrastWarning]").is_hidden()
    assert violations(page) == []
    page.locator("main").get_by_role("navigation", name="Crops").scroll_into_view_if_needed()
    shoot(page, "crop")
    page.get_by_role("button", name="Save the crop").click()
    page.get_by_text("The crop was saved.").wait_for()
    saved = crops_of(asset.published_version)["hero"]
    assert [part / 100 for part in saved] == pytest.approx(numbers(page), abs=0.3)

    pull(page, frame, 0, 40)
    page.get_by_role("button", name="Reset").click()
    assert numbers(page) == pytest.approx([part / 100 for part in saved], abs=0.01)
    page.get_by_role("button", name="Remove the crop").click()
    page.get_by_role("button", name="Restore").click()
    page.get_by_text("The earlier crop is in use again.").wait_for()
    assert crops_of(asset.published_version) == {"hero": saved}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_crops_on_a_telephone_and_in_the_dark(
    open_browser: Callable[..., Page], asset: Asset, editor: User, shoot: Shoot, scheme: str
) -> None:
    region = (1000, 3000, 8000, 4500)
    SetCrop(asset.published_version, editor, name="hero", region=region).execute()
    SetCrop(asset.published_version, editor, name="hero", region=(0, 0, 9000, 5063)).execute()
    options: dict[str, Any] = {"color_scheme": scheme}
    if scheme == "light":
        options |= {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    page = open_browser(address(asset, "hero"), **options)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    assert overflow(page) == 0
    assert page.locator("main").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    shoot(page, "crop-phone" if scheme == "light" else "crop-dark")
    page.goto(f"/admin/imagepipe/pictures/{asset.uid}/")
    page.wait_for_load_state("networkidle")
    crops = page.locator(".imagepipe-crops__item")
    assert crops.count() == 4
    crops.first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    shoot(page, "crops-phone" if scheme == "light" else "crops-dark")
    assert violations(page) == []
    assert overflow(page) == 0
    assert NamedCrop.objects.count() == 2


def test_a_crop_for_one_use(
    open_browser: Callable[..., Page], asset: Asset, settings: Any, shoot: Shoot
) -> None:
    settings.WAGTAIL_AUTOSAVE_INTERVAL = 0
    profile = {"presets": ["hero", "square", "tower"], "ratios": [[16, 9]]}
    settings.IMAGEPIPE = settings.IMAGEPIPE | {
        "PROFILES": {"default": profile},
        "CROPS": {"tower": {"ratio": [1, 6]}},
        "PRESETS": {
            **settings.IMAGEPIPE["PRESETS"],
            "tower": {"ratio": [1, 6], "widths": [320], "crop": "tower"},
        },
    }
    root = WagtailPage.get_first_root_node()
    story = ReportPage(title="Story", slug="story", hero=asset.image, live=False)
    root.add_child(instance=story)
    page = open_browser(f"/admin/pages/{story.pk}/edit/")
    section = page.locator("#panel-child-content-hero-section")
    section.get_by_text("Crop for this use").click()
    with page.expect_response("**/images/*/crops/"):
        section.get_by_label("Which crop").select_option("square")
    section.get_by_role("button", name="Suggestion (100 % sure)").wait_for()
    whole = section.get_by_role("img", name="The whole picture")
    assert "/pictures/" in (whole.get_attribute("src") or "")  # no longer the thumbnail
    assert centre(page, whole)[0] - whole.bounding_box()["x"] > 200
    assert section.get_by_text(TIGHT).is_hidden()
    section.get_by_label("Which crop").select_option("tower")
    section.get_by_text(TIGHT).wait_for()
    link = section.get_by_role("link", name="Paint the picture on beyond its edges")
    assert link.get_attribute("href") == (
        f"/admin/imagepipe/pictures/{asset.uid}/versions/1/extend/?shape=1%3A6"
    )
    section.get_by_label("Which crop").select_option("hero")
    section.get_by_text("Nothing is set for this use").wait_for()
    assert numbers(section)[2:] == [100.0, 56.25]
    section.locator(FRAME).focus()
    for _press in range(3):
        page.keyboard.press("Shift+ArrowDown")
    section.get_by_text(CUT).wait_for()
    assert section.get_by_text("Nothing is set for this use").is_hidden()
    section.get_by_label("Which crop").scroll_into_view_if_needed()
    shoot(page, "crop-use")
    assert violations(page) == []
    page.get_by_role("button", name="Save draft").first.click()
    page.get_by_text("has been updated").first.wait_for()
    revision = ReportPage.objects.get().get_latest_revision_as_object()
    left, top, width, height = revision.hero.contextual_crops["hero"]
    assert (left, width, height) == (0, 10000, 5625) and top >= 1500
    assert revision.hero.contextual_crop is None
    page.reload()
    section.get_by_label("Which crop").select_option("hero")
    assert numbers(section)[1] == pytest.approx(top / 100)
    section.get_by_role("button", name="Remove this crop").click()
    assert page.locator("[name=hero-crop]").input_value() == ""
