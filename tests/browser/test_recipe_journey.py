from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from imagepipe.assets.models import AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.worker import Worker
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import GENERATE, overflow, violations
from tests.generation.interchange import samples

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
IMPORT = "/admin/imagepipe/generate/import/"
TOOLS = {
    "a1111.png": "A1111",
    "comfyui.webp": "ComfyUI",
    "comfyui-workflow.json": "ComfyUI",
    "invokeai.png": "InvokeAI",
    "swarmui.jpg": "SwarmUI",
}
DROP = """([name, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name));
    const form = document.querySelector('[data-controller="imagepipe-drop"]');
    for (const kind of ['dragover', 'drop']) {
        const options = { dataTransfer, bubbles: true, cancelable: true };
        form.dispatchEvent(new DragEvent(kind, options));
    }
}"""


def drop(page: Page, name: str, content: bytes) -> None:
    page.get_by_text("Or drop the file anywhere on this form.").wait_for()
    page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def test_a_recipe_dropped_in_from_every_tool(
    page: Page, open_browser: Callable[..., Page], shoot: Callable[[Page, str], None]
) -> None:
    files = samples.all_files()
    page.goto(GENERATE)
    page.get_by_role("link", name="Import a recipe").click()
    page.wait_for_url(f"**{IMPORT}")
    for name, tool in TOOLS.items():
        page.goto(IMPORT)
        drop(page, name, files[name])
        page.get_by_role("heading", name=f"Read from {tool}").wait_for()
        assert violations(page) == [], name
        page.get_by_label("Model").select_option(label="Pocket objects")
        if name == "a1111.png":
            shoot(page, "import-recipe")
        page.get_by_role("button", name="Fill in the form").click()
        page.wait_for_url(f"**{GENERATE}?**")
        assert page.locator("[name=prompt]").input_value().startswith("a red teapot")
        assert page.get_by_label("Seed").input_value() == "1234567890"
        assert page.get_by_label("Height in pixels").input_value() == "768"
        model = RegisteredModel.objects.get()
        assert page.locator("[name=model]").input_value() == str(model.pk)
    page.goto(IMPORT)
    drop(page, "cat.png", samples.png())
    page.get_by_text("There is no recipe in this file.").wait_for()
    assert violations(page) == []

    dark = open_browser(IMPORT, color_scheme="dark")
    dark.get_by_label("Or its text").fill(samples.INFOTEXT)
    dark.get_by_role("button", name="Read the recipe").press("Enter")
    dark.get_by_role("heading", name="Read from A1111").wait_for()
    dark.locator("summary", has_text="not taken over").click()
    assert violations(dark) == []
    shoot(dark, "import-recipe-dark")
    phone = open_browser(IMPORT, viewport=PHONE, has_touch=True, is_mobile=True)
    drop(phone, "comfyui.webp", files["comfyui.webp"])
    phone.get_by_role("heading", name="Read from ComfyUI").wait_for()
    assert overflow(phone) == 0
    shoot(phone, "import-recipe-phone")


@pytest.fixture
def version(editor: User) -> AssetVersion:
    run = Run(title="Teapot for the kitchen", model=RegisteredModel.objects.get())
    brief = Brief(prompt="a teapot on a blue background", candidates=1, seed=7, steps=12)
    StartRun(run, editor, brief=brief).execute()
    assert Worker().run_until_empty() == 1
    Candidate.objects.update(state=Candidate.State.OFFERED)
    return AcceptCandidate(run.candidates.get(), editor).execute()


def test_a_replay_from_the_button_to_the_verdict(
    version: AssetVersion,
    page: Page,
    worker: Worker,
    open_browser: Callable[..., Page],
    shoot: Callable[[Page, str], None],
) -> None:
    page.goto(f"/admin/imagepipe/pictures/{version.asset.uid}/")
    page.get_by_role("button", name="Replay").click()
    page.wait_for_url("**/runs/*/")
    address = page.url
    verdict = page.locator(".imagepipe-verdict", has_text="Bit-exact.")
    verdict.wait_for()
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    made = page.get_by_role("img", name="The picture made again")
    assert made.evaluate("image => image.naturalWidth") == version.recipe["width"]
    shoot(page, "replay")
    page.locator("main dd a", has_text="Teapot for the kitchen, version 1").click()
    page.wait_for_url("**/pictures/*/**")
    assert page.locator(".imagepipe-verdict", has_text="Bit-exact.").is_visible()
    assert violations(page) == []
    page.locator("#recipe-section").scroll_into_view_if_needed()
    shoot(page, "recipe-panel")
    dark = open_browser(address, color_scheme="dark")
    dark.wait_for_load_state("networkidle")
    assert violations(dark) == []
    shoot(dark, "replay-dark")
    phone = open_browser(address, viewport=PHONE, has_touch=True, is_mobile=True)
    phone.wait_for_load_state("networkidle")
    assert overflow(phone) == 0
    shoot(phone, "replay-phone")
    assert AssetVersion.objects.count() == 1


def test_a_matrix_of_twelve_with_its_estimate(
    version: AssetVersion,
    page: Page,
    open_browser: Callable[..., Page],
    shoot: Callable[[Page, str], None],
) -> None:
    page.goto(GENERATE)
    page.get_by_role("link", name="Start a matrix").click()
    page.wait_for_url("**/matrix/")
    page.get_by_role("button", name="Show the estimate").wait_for()
    assert violations(page) == []
    page.get_by_label("Brief").fill("Objects for the shop")
    page.get_by_label("Prompt template").select_option(label="Product shot")
    page.get_by_label("Seed of all").fill("7")
    axes = {"Subject": "teapot\nowl\nkey", "Light": "soft light\nwarm light", "Steps": "4\n8"}
    for number, (what, values) in enumerate(axes.items(), start=1):
        axis = page.get_by_role("group", name=f"Axis {number}")
        axis.get_by_label("What changes").select_option(label=what)
        axis.get_by_label("Values, one on each line").fill(values)
    page.get_by_role("button", name="Show the estimate").click()
    page.get_by_role("heading", name="12 combinations").wait_for()
    assert violations(page) == []
    shoot(page, "matrix")
    assert Run.objects.count() == 1
    page.get_by_role("button", name="Start 12 runs").click()
    page.wait_for_url("**/matrix/*/")
    page.get_by_text("0 of 12 runs are finished.").wait_for()
    assert violations(page) == []
    address = page.url
    Worker().run_until_empty()
    page.reload()
    page.get_by_text("12 of 12 runs are finished.").wait_for()
    page.wait_for_load_state("networkidle")
    shoot(page, "matrix-runs")
    dark = open_browser(address, color_scheme="dark")
    assert violations(dark) == []
    shoot(dark, "matrix-runs-dark")
    phone = open_browser(address, viewport=PHONE, has_touch=True, is_mobile=True)
    assert overflow(phone) == 0
    phone.goto("/admin/imagepipe/generate/matrix/")
    assert overflow(phone) == 0
    shoot(phone, "matrix-phone")
