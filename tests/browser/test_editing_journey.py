"""Fix the wrong region of a picture, extend it to another shape, approve it; once by keys."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.contrib.auth.models import User
from PIL import Image

from imagepipe.assets.models import AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run, RunState
from imagepipe.workflow.runner import work_on
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import (
    GENERATE,
    darken,
    overflow,
    start,
    violations,
    wait_for_end,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., "Page"]
Shoot = Callable[["Page", str], None]


@pytest.fixture(autouse=True)
def engine(editor: User) -> RegisteredModel:
    """A model that can do everything, for what the trained one cannot."""
    return RegisteredModel.objects.create(
        slug="sketch", name="Sketch", backend="fake", location="fake", licence="BSD-3-Clause",
        native_width=256, native_height=256, defaults={"steps": 8},
        state=RegisteredModel.State.ALLOWED,
    )  # fmt: skip


@pytest.fixture
def candidate(engine: RegisteredModel, editor: User) -> Candidate:
    """One picture, without the worker."""
    brief = Brief(prompt="a red teapot on a blue table", candidates=1, seed=3)
    run = StartRun(Run(title="Teapot", model=engine), editor, brief=brief).execute()
    work_on(run.uid.hex, heartbeat=False)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.error
    return run.candidates.get()


def pixels(candidate: Candidate) -> np.ndarray:
    with Image.open(io.BytesIO(blobs.read(candidate.sha256))) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def region(run: Run) -> np.ndarray:
    """Where the run was allowed to change the picture, as it wrote it down."""
    output = run.steps.get(kind="canvas").output
    with Image.open(io.BytesIO(blobs.read(output["region"]))) as image:
        return np.asarray(image)


def stage(page: Page) -> Locator:
    return page.get_by_role("application", name="Picture to mark")


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Draw over the picture through points that are shares of it."""
    box = stage(page).bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def marked(page: Page) -> float:
    """Per cent of the picture that the page says are marked."""
    words = page.locator("[data-imagepipe-mask-target=state]").inner_text()
    return float(words.split()[0]) if "per cent of" in words else 0.0


def test_fix_a_region_extend_the_picture_and_approve_it(
    page: Page, worker: object, shoot: Shoot
) -> None:
    start(page, title="Panda", subject="panda", candidates=2)
    wait_for_end(page)
    first = Run.objects.get()
    page.get_by_role("link", name="Fix a region of picture 1").click()
    page.get_by_role("heading", name="Fix this region").first.wait_for()
    page.locator("[name=prompt]").fill("a fox on a blue background")
    page.get_by_label("Size").fill("16")
    drag(page, (0.55, 0.3), (0.8, 0.35), (0.8, 0.6), (0.6, 0.6))
    drawn = marked(page)
    assert 5 < drawn < 40
    page.get_by_role("button", name="Eraser").click()
    drag(page, (0.55, 0.3), (0.6, 0.3))
    erased = marked(page)
    assert erased < drawn
    page.get_by_role("button", name="Undo").click()
    assert marked(page) == drawn
    page.get_by_role("button", name="Redo").click()
    assert marked(page) == erased
    page.get_by_role("button", name="Lasso").click()
    drag(page, (0.12, 0.2), (0.5, 0.12), (0.88, 0.2), (0.86, 0.85), (0.14, 0.85))
    assert marked(page) > erased
    shoot(page, "fix-region")
    page.get_by_label("Candidates").fill("2")
    page.get_by_role("button", name="Make it anew").click()
    page.wait_for_url("**/runs/*/")
    wait_for_end(page)
    fixed = Run.objects.exclude(pk=first.pk).get()
    before, allowed = pixels(first.candidates.get(index=0)), region(fixed)
    assert 0.4 < (allowed == 255).mean() < 0.6
    for candidate in fixed.candidates.all():
        after = pixels(candidate)
        assert after.shape == before.shape == (512, 512, 3)
        assert (after[allowed == 0] == before[allowed == 0]).all()
        assert np.abs(after - before)[allowed == 255].mean() > 4
    shoot(page, "fix-region-candidates")
    compare(page)
    page.get_by_role("link", name="Extend picture 1 to other shapes").click()
    page.locator("[name=prompt]").fill("a blue background, soft light")
    page.get_by_label("9:16").check()
    page.get_by_label("16:9").check()
    page.get_by_text("9:16: 512 × 911").wait_for()
    shoot(page, "extend")
    page.get_by_role("button", name="Extend", exact=True).click()
    page.wait_for_url("**/runs/*/")
    wait_for_end(page)
    extended = Run.objects.latest("pk")
    tall, wide = extended.candidates.order_by("index")
    assert (tall.width, tall.height) == (512, 911)
    assert (wide.width, wide.height) == (911, 512)
    source, frame = pixels(fixed.candidates.get(index=0)), extended.request["edit"]["frames"][0]
    soft, top = extended.request["edit"]["feather"], frame["top"]
    kept = pixels(tall)[top : top + 512][soft:-soft]
    assert (kept == source[soft:-soft]).all()
    shoot(page, "extend-candidates")
    page.get_by_role("link", name="Approve picture 1").click()
    page.get_by_role("button", name="Approve picture").click()
    page.wait_for_url("**/pictures/*/")
    version = AssetVersion.objects.get()
    assert (version.width, version.height) == (512, 911)
    page.get_by_role("link", name="Fix this region").wait_for()


def compare(page: Page) -> None:
    """The two candidates behind a slider, side by side and in turn."""
    page.get_by_text("Compare two pictures").click()
    stage = page.locator(".imagepipe-compare__stage")
    first, second = stage.locator("img").first, stage.locator("img").last
    assert first.get_attribute("src") != second.get_attribute("src")
    page.get_by_label("How much of the first is shown").fill("30")
    assert second.evaluate("image => image.style.clipPath") == "inset(0px 0px 0px 30%)"
    page.get_by_role("button", name="Side by side").click()
    left, right = first.bounding_box(), second.bounding_box()
    assert left and right and left["x"] + left["width"] <= right["x"]
    page.get_by_role("button", name="In turn").click()
    page.wait_for_function(
        "() => document.querySelector('.imagepipe-compare__stage img:last-child').style.opacity"
        " === '0'"
    )
    page.get_by_role("button", name="Slider").click()
    assert violations(page) == []
    page.get_by_text("Compare two pictures").click()


def test_a_region_is_marked_by_keyboard_alone(
    open_browser: Open, candidate: Candidate, worker: object
) -> None:
    page = open_browser(f"/admin/imagepipe/candidates/{candidate.uid}/refine/")
    page.get_by_role("button", name="Brush").wait_for()
    for _presses in range(60):
        page.keyboard.press("Tab")
        if stage(page).evaluate("element => element === document.activeElement"):
            break
    keys = page.keyboard

    def press(*names: str) -> None:
        for name in names:
            keys.press(name)

    press("]", "]", " ", *["ArrowRight"] * 8, *["ArrowDown"] * 4, " ")
    stroke = marked(page)
    assert stroke > 1
    press("Control+z")
    assert marked(page) == 0
    press("Control+y")
    assert marked(page) == stroke
    press("l", " ", *["ArrowLeft"] * 12, " ", *["ArrowUp"] * 12, " ", "Enter")
    assert marked(page) > stroke
    press("+", "+", "ArrowLeft", "0")
    press("l", " ", "ArrowUp", "Escape")
    assert "Lifted" in page.locator("[data-imagepipe-mask-target=state]").inner_text()
    for _presses in range(60):
        press("Tab")
        if page.evaluate("document.activeElement.matches('button[type=submit]')"):
            break
    press("Enter")
    page.wait_for_url("**/runs/*/")
    wait_for_end(page)
    run = Run.objects.latest("pk")
    allowed, before = region(run), pixels(candidate)
    assert allowed.any()
    for made in run.candidates.all():
        assert (pixels(made)[allowed == 0] == before[allowed == 0]).all()


def test_numbers_mark_a_rectangle_and_a_refused_form_keeps_the_drawing(
    open_browser: Open, candidate: Candidate
) -> None:
    page = open_browser(f"/admin/imagepipe/candidates/{candidate.uid}/refine/")
    page.get_by_text("Mark a rectangle by numbers").click()
    for name, value in (("Left", 25), ("Top", 25), ("Width", 50), ("Height", 50)):
        page.get_by_label(f"{name} (%)").fill(str(value))
    page.get_by_role("button", name="Mark the rectangle").click()
    assert marked(page) == 25
    assert page.get_by_label("Width (%)").input_value() == ""
    page.locator("[name=prompt]").fill("")
    page.get_by_role("button", name="Make it anew").click()
    page.get_by_text("The prompt is empty.").first.wait_for()
    page.get_by_text("25 per cent of the picture are marked.").wait_for()
    page.get_by_role("button", name="Swap").click()
    assert marked(page) == 75
    page.get_by_role("button", name="Clear").click()
    assert marked(page) == 0
    page.get_by_role("button", name="Undo").click()
    assert marked(page) == 75


def test_the_pages_are_accessible_in_either_theme(
    open_browser: Open, candidate: Candidate, shoot: Shoot
) -> None:
    for kind in ("refine", "extend"):
        address = f"/admin/imagepipe/candidates/{candidate.uid}/{kind}/"
        page = open_browser(address)
        prepare(page, kind)
        for details in page.locator("main details").all():
            details.evaluate("element => { element.open = true; }")
        assert violations(page) == []
        assert darken(page) == []
        page.reload()
        prepare(page, kind)
        shoot(page, f"{'fix-region' if kind == 'refine' else 'extend'}-dark")


def test_the_expert_part_of_the_form_is_accessible_and_says_what_a_model_cannot(
    open_browser: Open, candidate: Candidate, shoot: Shoot
) -> None:
    for kind, slug in (("lora", "pastel"), ("controlnet", "house-canny")):
        RegisteredModel.objects.create(
            kind=kind, slug=slug, name=slug, backend="fake", location=slug, licence="MIT",
            state=RegisteredModel.State.ALLOWED,
        )  # fmt: skip
    RegisteredModel.objects.create(
        slug="gone", name="Gone", backend="diffusers", location="/nowhere", licence="MIT",
        state=RegisteredModel.State.ALLOWED,
    )  # fmt: skip
    page = open_browser(f"/admin/imagepipe/generate/?guide={candidate.uid}")
    page.get_by_text("The edges of “Teapot” are followed").wait_for()
    page.get_by_text("Model, seed and size").click()
    page.get_by_label("Model", exact=True).select_option(label="Gone")
    strength = page.get_by_label("How much may change, in per cent")
    page.get_by_text("The model “Gone” cannot be used").first.wait_for()
    assert strength.is_disabled()
    page.get_by_label("Model", exact=True).select_option(label="Sketch")
    page.locator("[name=strength]:enabled").wait_for()
    page.get_by_text("Follow picture 2 as well").click()
    sheet = page.get_by_role("application", name="Sheet of drawing 2")
    page.get_by_text("Or draw it").nth(1).click()
    sheet.scroll_into_view_if_needed()
    sheet.focus()
    for key in (" ", *["ArrowRight"] * 9, *["ArrowDown"] * 9, " "):
        page.keyboard.press(key)
    drawn = page.get_by_text("per cent of the sheet are drawn on.")
    drawn.wait_for()
    assert violations(page) == []
    assert overflow(page) <= 0
    shoot(page, "control-drawing")
    page.get_by_label("Brief").fill("Lines")
    page.locator("[name=template]").select_option(index=0)
    page.locator("[name=prompt]").fill("a boat")
    page.locator("[name=control_2]").select_option(label="house-canny")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")
    run = Run.objects.latest("pk")
    [wish] = run.request["controls"]
    assert not wish["computed"]
    with Image.open(io.BytesIO(blobs.read(wish["source"]["sha256"]))) as image:
        lines = np.asarray(image.convert("L"))
    assert 0 < (lines > 128).mean() < 0.2
    phone = open_browser(GENERATE, viewport=PHONE, has_touch=True, is_mobile=True)
    phone.get_by_text("For experts").click()
    phone.get_by_text("Or draw it").first.click()
    phone.locator(".imagepipe-mask__stage--ready").first.wait_for()
    assert overflow(phone) <= 0
    shoot(phone, "control-drawing-phone")
    page.goto(f"{GENERATE}?guide={candidate.uid}")
    page.get_by_text("For experts").scroll_into_view_if_needed()
    page.get_by_text("Start from a picture").scroll_into_view_if_needed()
    shoot(page, "generate-expert")


def prepare(page: Page, kind: str) -> None:
    if kind == "refine":
        page.get_by_role("button", name="Brush").wait_for()
        drag(page, (0.3, 0.3), (0.6, 0.4), (0.6, 0.6))
    else:
        page.get_by_label("9:16").check()
        page.get_by_label("Other shapes").fill("1200x300")
        page.get_by_text("1200×300: 2048 × 512").wait_for()


def test_on_a_phone_fingers_draw_and_nothing_is_cut_off(
    open_browser: Open, candidate: Candidate, shoot: Shoot
) -> None:
    for kind in ("refine", "extend"):
        address = f"/admin/imagepipe/candidates/{candidate.uid}/{kind}/"
        page = open_browser(address, viewport=PHONE, has_touch=True, is_mobile=True)
        if kind == "refine":
            page.get_by_role("button", name="Brush").wait_for()
            stage(page).scroll_into_view_if_needed()
            touch(page, (0.3, 0.3), (0.5, 0.5), (0.7, 0.5))
            assert marked(page) > 1
        else:
            prepare(page, kind)
        assert overflow(page) <= 0
        shoot(page, f"{'fix-region' if kind == 'refine' else 'extend'}-phone")


def touch(page: Page, *points: tuple[float, float]) -> None:
    """One finger over the picture, as the browser's own touch events."""
    box = stage(page).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    places = [
        {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points
    ]
    kinds = ["touchStart", *["touchMove"] * (len(places) - 1)]
    for kind, place in zip(kinds, places, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
