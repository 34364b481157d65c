"""A matrix, a mask that is used again and the image chooser, by the keyboard alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from PIL import Image

from imagepipe.assets.models import Asset
from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.profile_models import GenerationProfile
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs, masks
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.runner import work_on
from imagepipe.workflow.source_pictures import SourcePicture
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import darken, overflow, violations, wait_for_end

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

Open = Callable[..., "Page"]
Shoot = Callable[["Page", str], None]
MOST_STOPS = 150


@pytest.fixture(autouse=True)
def engine(editor: User) -> RegisteredModel:
    """The only model, and one that takes no time."""
    PromptTemplate.objects.all().delete()
    RegisteredModel.objects.all().delete()
    return RegisteredModel.objects.create(
        slug="sketch", name="Sketch", backend="fake", location="fake", licence="BSD-3-Clause",
        native_width=256, native_height=256, defaults={"steps": 8},
        state=RegisteredModel.State.ALLOWED,
    )  # fmt: skip


@pytest.fixture
def candidate(engine: RegisteredModel, editor: User) -> Candidate:
    brief = Brief(prompt="a red teapot on a blue table", candidates=1, seed=3)
    run = StartRun(Run(title="Teapot", model=engine), editor, brief=brief).execute()
    work_on(run.uid.hex, heartbeat=False)
    return run.candidates.get()


def reach(page: Page, selector: str, *, backwards: bool = False) -> None:
    """Press Tab until the focus is there; it has to be visible."""
    for _stop in range(MOST_STOPS):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    else:
        raise AssertionError(f"{selector} is not reached by Tab")
    assert page.evaluate("document.activeElement.checkVisibility()")


def write(page: Page, selector: str, text: str) -> None:
    reach(page, selector)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def choose(page: Page, selector: str, label: str) -> None:
    """Choose an option of a select by its first letters."""
    reach(page, selector)
    page.keyboard.type(label)
    chosen = page.evaluate("document.activeElement.selectedOptions[0].textContent.trim()")
    assert chosen == label


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_matrix_with_a_profile(open_browser: Open, engine: RegisteredModel) -> None:
    GenerationProfile.objects.create(name="Wide", slug="wide", width=320, height=192)
    page = open_browser("/admin/imagepipe/generate/matrix/")
    write(page, "#id_title", "Cups")
    write(page, "#id_prompt", "a cup")
    choose(page, "#id_profile", "Wide")
    choose(page, "#id_model", "Sketch")
    choose(page, "#id_field1", "Steps")
    write(page, "#id_values1", "2\n4\n6")
    choose(page, "#id_field2", "Seed")
    write(page, "#id_values2", "1\n2")
    assert violations(page) == []
    reach(page, "main button[type=submit]")
    press(page, "Enter")
    page.get_by_role("heading", name="6 combinations").wait_for()
    reach(page, "button[name=start]")
    press(page, "Enter")
    page.wait_for_url("**/matrix/*/")
    runs = Run.objects.all()
    assert runs.count() == 6
    assert {(r.request["width"], r.request["profile"]) for r in runs} == {(320, "wide")}
    assert {(r.request["steps"], r.request["seeds"][0]) for r in runs} == {
        (steps, seed) for steps in (2, 4, 6) for seed in (1, 2)
    }


def test_a_mask_that_was_drawn_before_is_used_again(
    open_browser: Open, candidate: Candidate, editor: User, shoot: Shoot
) -> None:
    size = candidate.width, candidate.height
    mask = masks.make(size, boxes=[(0.3, 0.35, 0.4, 0.3)])
    edit = Edit("inpaint", SourcePicture.of_candidate(candidate), mask=mask)
    brief = Brief(prompt="a green teapot on a blue table", candidates=1, edit=edit)
    earlier = Run(title="Green teapot", model=candidate.run.model)
    StartRun(earlier, editor, brief=brief).execute()
    page = open_browser(f"/admin/imagepipe/candidates/{candidate.uid}/refine/")
    offered = page.get_by_role("button", name="Use the mask of “Green teapot”")
    offered.wait_for()
    assert violations(page) == []
    reach(page, ".imagepipe-suggest button")
    press(page, "Enter")
    page.get_by_text("12 per cent of the picture are marked.").wait_for()
    reach(page, "[role=application]", backwards=True)
    press(page, "Control+z")
    page.get_by_text("Nothing is marked yet.").wait_for()
    press(page, "Control+y")
    page.get_by_text("12 per cent of the picture are marked.").wait_for()
    offered.scroll_into_view_if_needed()
    shoot(page, "fix-region-masks")
    assert darken(page) == []
    page.emulate_media(color_scheme="light")
    reach(page, "main button[type=submit].button-longrunning")
    press(page, "Enter")
    page.wait_for_url("**/runs/*/")
    run = Run.objects.latest("pk")
    kept = [Image.open(io.BytesIO(blobs.read(m))) for m in (mask, run.request["edit"]["mask"])]
    boxes = [image.convert("L").point(lambda v: 255 * (v > 127)).getbbox() for image in kept]
    assert boxes[0] == boxes[1]
    phone = open_browser(f"/admin/imagepipe/candidates/{candidate.uid}/refine/", viewport=PHONE)
    phone.get_by_role("button", name="Use the mask of “Green teapot”").wait_for()
    assert overflow(phone) <= 0


def test_the_generate_tab_of_the_chooser(open_browser: Open, worker: object) -> None:
    page = open_browser("/admin/snippets/imagepipe_fields/teaser/add/")
    write(page, "#id_title", "Zoo")
    reach(page, "#panel-hero-section button[data-action*=enerate], #panel-hero-section button")
    while "Generate" not in page.evaluate("document.activeElement.textContent"):
        reach(page, "#panel-hero-section button")
    press(page, "Enter")
    page.get_by_role("tab", name="Generate", selected=True).wait_for()
    tab = "#tab-generate "
    write(page, f"{tab}[name$=-title]", "Panda")
    write(page, f"{tab}textarea[name$=-prompt]", "a panda")
    write(page, f"{tab}[name$=-candidates]", "2")
    reach(page, f"{tab}button[type=submit]")
    press(page, "Enter")
    wait_for_end(page)
    reach(page, f"{tab}button[aria-label='Use this picture: picture 1']")
    press(page, "Enter")
    write(page, f"{tab}form [name$=title]", "Panda")
    write(page, f"{tab}form [name*=alt]", "A panda on blue")
    rights = page.evaluate(
        "document.querySelectorAll('#tab-generate form select, #tab-generate form input"
        ":not([type=hidden])').length"
    )
    assert rights >= 2
    reach(page, f"{tab}form button[type=submit]")
    press(page, "Enter")
    page.locator(".modal.in").wait_for(state="detached")
    assert Asset.objects.get().title == "Panda"
    assert page.locator("#panel-hero-section .chooser__title").inner_text() == "Panda"
