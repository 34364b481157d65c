"""Alternative texts for a handful of pictures in two languages, by the keyboard alone."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import TestCase
from PIL import Image

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.seo.alt_text.actions import KeepSuggestions
from imagepipe.seo.alt_text.captioner import captioners
from imagepipe.seo.alt_text.suggesting import suggest
from imagepipe.workflow.models import Run
from tests.browser.conftest import PHONE, REPOSITORY
from tests.browser.studio_pages import darken, overflow, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
URL = "/admin/imagepipe/alt-texts/"
PHOTOGRAPHS = {
    "Rocket on its pad": "rocket.jpg",
    "Eileen Collins": "astronaut.png",
    "Chelsea looks past the camera": "chelsea.png",
}
DRAWN = (0, 1, 2)


def keep(title: str, content: bytes, number: int, **fields: Any) -> Asset:
    """A picture in the library, later ones after earlier ones."""
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
        mime = Image.MIME[picture.format or "PNG"]
    asset = Asset.objects.create(title=title, slug=f"picture-{number}")
    AssetVersion.objects.create(
        asset=asset, number=1, state="approved", origin="uploaded", width=width, height=height,
        mime=mime, byte_count=len(content), sha256=masters.store(content), **fields,
    )  # fmt: skip
    return asset


@pytest.fixture
def library(editor: User) -> list[Asset]:
    """Three that a model drew, three photographs; nobody has described them."""
    fixtures = REPOSITORY / "fixtures" / "prompts"
    sheet = Image.open(fixtures / "heldout-pairs.webp").convert("RGB")
    lists = json.loads((fixtures / "heldout.json").read_text("utf-8"))
    prompts = [entry["prompt"] for entry in (*lists["prompts"], *lists["further"])]
    found = []
    for number in DRAWN:
        file = io.BytesIO()
        cell = sheet.crop((number * 128, 0, number * 128 + 128, 128))
        cell.resize((512, 512), Image.Resampling.BICUBIC).save(file, "PNG")
        title = f"Order {number + 1}"
        recipe = {"prompt": prompts[7 * number]}
        found.append(keep(title, file.getvalue(), number, recipe=recipe))
    for number, (title, name) in enumerate(PHOTOGRAPHS.items(), start=3):
        content = files("skimage").joinpath("data", name).read_bytes()
        found.append(keep(title, content, number, file_name=f"IMG_{number}.jpg"))
    return found


@pytest.fixture
def suggested(library: list[Asset]) -> list[Asset]:
    for asset in library:
        with TestCase.captureOnCommitCallbacks():
            outcome = suggest(asset, ["en", "de"], captioners())
            assert outcome is not None
            KeepSuggestions(asset, None, outcome=outcome).execute()
    return library


def press_until(page: Any, locator: Any, key: str = "Tab", most: int = 80) -> None:
    for _press in range(most):
        page.keyboard.press(key)
        if locator.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{locator} was not reached with {key}")


def on(page: Any, heading: str) -> None:
    """The card is there, and its heading has the focus."""
    page.wait_for_function(
        "text => document.activeElement.tagName === 'H2'"
        " && document.activeElement.innerText.trim() === text",
        arg=heading,
    )


def test_six_pictures_in_two_languages_by_keyboard(page, library, worker, shoot):
    page.goto(URL)
    on(page, "Order 1, English")
    start = page.get_by_role("button", name="Suggest texts for 6 pictures")
    press_until(page, start, "Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Suggestions are being made").wait_for()
    message = page.locator("[data-imagepipe-alt-run-target=message]")
    message.get_by_text("with suggestions: 6").wait_for()
    assert Run.objects.get(request__job="bulk-alt-text").state == "succeeded"

    page.goto(URL)
    on(page, "Order 1, English")
    drawn = [asset.versions.get().recipe["prompt"] for asset in library[:3]]
    field = page.get_by_label("Alternative text (English)")
    assert field.input_value().lower() == drawn[0]
    page.keyboard.press("a")
    on(page, "Order 1, German")
    assert library[0].alt_texts() == {"en": field_text(drawn[0])}

    page.keyboard.press("p")  # nothing before it is open any more: around to the last
    on(page, "Chelsea looks past the camera, German")
    page.keyboard.press("n")
    on(page, "Order 1, German")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.name") == "text"
    page.keyboard.press("Control+a")
    page.keyboard.type("Ein Apfel links vor Gelb")
    page.keyboard.press("Control+Enter")
    on(page, "Order 2, English")
    live = page.locator("[aria-live=polite][data-imagepipe-alt-target=live]")
    assert "“Ein Apfel links vor Gelb” was saved." in live.inner_text()

    page.keyboard.press("d")
    on(page, "Order 3, English")
    library[1].refresh_from_db()
    assert library[1].decorative
    page.keyboard.press("u")
    on(page, "Order 2, English")
    library[1].refresh_from_db()
    assert not library[1].decorative
    page.keyboard.press("a")
    on(page, "Order 2, German")
    page.keyboard.press("s")
    on(page, "Order 3, English")
    page.keyboard.press("a")
    on(page, "Order 3, German")
    page.keyboard.press("s")
    on(page, "Rocket on its pad, English")
    page.keyboard.press("a")
    on(page, "Rocket on its pad, German")
    page.keyboard.press("e")
    page.keyboard.type("Bild einer Rakete")
    advice = page.get_by_role("status").filter(has_text="Screen readers say already")
    advice.wait_for()
    page.keyboard.press("Escape")
    on(page, "Rocket on its pad, German")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("Eine Rakete auf der Startrampe")
    page.keyboard.press("Control+Enter")
    on(page, "Eileen Collins, English")
    assert library[3].alt_texts()["de"] == "Eine Rakete auf der Startrampe"

    shortcuts = page.get_by_label("Use shortcuts of one letter")
    summary = page.locator("summary", has_text="Keyboard shortcuts")
    press_until(page, summary)
    page.keyboard.press("Enter")
    press_until(page, shortcuts, most=3)
    page.keyboard.press("Space")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert page.get_by_role("heading", name="Eileen Collins, English").is_visible()
    assert library[4].alt_texts() == {}
    page.keyboard.press("Space")
    page.keyboard.press("a")
    on(page, "Eileen Collins, German")
    assert library[4].alt_texts()["en"].startswith("Eileen Collins")


def test_advice_and_suggestions_in_the_form_of_one_picture(page, suggested):
    page.goto(f"/admin/imagepipe/pictures/{suggested[0].uid}/alt/")
    page.get_by_role("button", name="Use this text").last.click()
    german = page.get_by_label("Alternative text (German)")
    assert german.input_value() == "Ein Apfel links vor gelbem Hintergrund"
    assert german.evaluate("element => element === document.activeElement")
    page.get_by_label("Alternative text (English)").fill("image of an apple")
    page.get_by_role("status").filter(has_text="Screen readers say already").wait_for()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/pictures/{suggested[0].uid}/")
    assert suggested[0].alt_texts()["de"] == "Ein Apfel links vor gelbem Hintergrund"


def field_text(prompt: str) -> str:
    return prompt[:1].upper() + prompt[1:]


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_sticks_out(
    device: str, open_browser: Callable, suggested: list[Asset], shoot: Callable
):
    looks: dict[str, Any] = {}
    if device == "phone":
        looks = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    page = open_browser(URL, **looks)
    photograph, drawn = suggested[3], suggested[0]
    for name, address in {
        "alt-texts": f"{URL}?at={photograph.pk}:en",
        "alt-texts-drawn": f"{URL}?at={drawn.pk}:de",
        "alt-texts-none": f"{URL}?reason=duplicate",
        "alt-form": f"/admin/imagepipe/pictures/{drawn.uid}/alt/",
    }.items():
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.wait_for_load_state("networkidle")
        for summary in page.locator("main summary").all():
            summary.click()
        informative = page.get_by_label("It tells something that readers would miss.")
        if informative.count():
            informative.check()
        assert violations(page) == [], name
        assert overflow(page) == 0, name
        if name in ("alt-texts", "alt-form"):
            page.mouse.wheel(0, -10_000)
            page.wait_for_timeout(300)
            if device == "phone":
                page.locator("textarea").first.scroll_into_view_if_needed()
            shoot(page, name if device == "desktop" else f"{name}-phone")
        if device == "desktop":
            assert darken(page) == [], name
            if name in ("alt-texts", "alt-form"):
                shoot(page, f"{name}-dark")
