from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from imagepipe.assets.models import Asset
from imagepipe.delivery.iiif_actions import SetIiif
from imagepipe.prompts.models import PromptTemplate
from imagepipe.workflow.actions import AcceptCandidate, RejectCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Candidate, Run
from imagepipe.workflow.worker import Worker
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import (
    GENERATE,
    darken,
    fill_brief,
    overflow,
    violations,
    wait_for_end,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def run(editor: User) -> Run:
    """A finished run of four: one accepted, one rejected, two open."""
    brief = Brief(variables={"subject": "teapot"}, seed=7)
    started = Run(
        title="Teapots for the spring catalogue", template=PromptTemplate.objects.get()
    )
    run = StartRun(started, editor, brief=brief).execute()
    assert Worker().run_until_empty() == 1
    run.refresh_from_db()
    assert run.state == "succeeded", run.error
    return run


@pytest.fixture
def asset(run: Run, editor: User) -> Asset:
    offered = run.candidates.filter(state=Candidate.State.OFFERED).order_by("index")
    first, second = offered[:2]
    RejectCandidate(second, editor, reason="composition", note="Too close").execute()
    accepted = AcceptCandidate(first, editor, title="Teapot").execute().asset
    return SetIiif(accepted, editor, is_open=True).execute()


@pytest.fixture
def addresses(run: Run, asset: Asset) -> dict[str, str]:
    open_one = run.candidates.filter(state=Candidate.State.OFFERED).first()
    assert open_one is not None
    return {
        "generate": GENERATE,
        "run": f"/admin/imagepipe/runs/{run.uid}/",
        "candidate": f"/admin/imagepipe/candidates/{open_one.uid}/",
        "asset": f"/admin/imagepipe/pictures/{asset.uid}/",
        "rights": f"/admin/imagepipe/pictures/{asset.uid}/rights/",
        "alt": f"/admin/imagepipe/pictures/{asset.uid}/alt/",
        "runs": "/admin/imagepipe/runs/",
        "pictures": "/admin/imagepipe/pictures/",
        "review": "/admin/imagepipe/review/",
        "models": "/admin/imagepipe/models/",
        "history": "/admin/imagepipe/history/",
        "routes": "/admin/imagepipe/engines/routes/",
    }


def test_axe_finds_nothing_in_either_theme(
    open_browser: Callable, addresses: dict[str, str], shoot: Callable
):
    page = open_browser()
    for name, address in addresses.items():
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if name == "history":
            page.get_by_text("Compare two pictures").click()
            page.get_by_role("button", name="Side by side").click()
            page.wait_for_timeout(400)  # for transitions between the colours
        assert violations(page) == [], name
        page.evaluate("window.scrollTo(0, 0)")
        if name in ("generate", "candidate", "history", "routes"):
            shoot(page, name)
        assert darken(page) == [], name
        if name in ("run", "asset", "history"):
            shoot(page, f"{name}-dark")
        if name == "asset":
            show_viewers(page)
            shoot(page, "viewers-dark")
            page.emulate_media(color_scheme="light")
            shoot(page, "viewers")


def test_a_telephone_needs_no_sideways_scrolling(
    open_browser: Callable, addresses: dict[str, str], shoot: Callable
):
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True)
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert overflow(page) == 0, name
        main = page.locator("main")
        assert main.evaluate("e => e.scrollWidth - e.clientWidth") == 0, name
        if name in ("generate", "run", "asset", "history", "routes"):
            shoot(page, f"{name}-phone")
        if name == "asset":
            show_viewers(page)
            shoot(page, "viewers-phone")
    assert violations(page) == []


def show_viewers(page) -> None:
    """The panel of IIIF, in the middle of the window."""
    heading = page.get_by_role("heading", name="Zoomable viewers")
    heading.evaluate("heading => heading.scrollIntoView({block: 'center'})")


def test_the_whole_way_with_the_keyboard(page, worker):
    fill_brief(page, title="Keys", subject="key", candidates=2)
    page.get_by_label("Seed").press("Enter")
    page.wait_for_url("**/runs/*/")
    wait_for_end(page)
    page.locator("article.imagepipe-card .imagepipe-checks").nth(1).wait_for()
    approve = page.get_by_role("link", name="Approve picture 1")
    star = page.get_by_role("button", name="Star for picture 2")
    reach(page, star)
    page.keyboard.press("p")
    page.get_by_text("Picture 2 is pinned").wait_for(state="attached")
    page.keyboard.press("s")
    page.get_by_text("Picture 2 has your star.").wait_for(state="attached")
    assert star.get_attribute("aria-pressed") == "true"
    page.reload()
    first = page.locator("article.imagepipe-card").first
    first.get_by_role("heading", name="Picture 2").wait_for()
    reach(page, page.get_by_role("button", name="Star for picture 2"))
    page.keyboard.press("ArrowRight")
    card = page.locator("article.imagepipe-card").nth(1)
    assert card.evaluate("card => card.contains(document.activeElement)")
    reach(page, approve)
    reject = page.locator("summary", has_text="Reject").first
    reach(page, reject)
    page.keyboard.press("Enter")
    reason = page.get_by_label("Reason").first
    assert reason.is_visible()
    reach(page, reason, tabs=2)
    reach(page, approve, key="Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/candidates/*/**")
    reach(page, page.get_by_label("Title"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/pictures/*/")
    assert Asset.objects.get().title == "Keys"


def reach(page, locator, *, key: str = "Tab", tabs: int = 80) -> None:
    """Press a key until the element has the focus, and see that the focus is visible."""
    for _press in range(tabs):
        page.keyboard.press(key)
        if locator.evaluate("element => element === document.activeElement"):
            outline = locator.evaluate("element => getComputedStyle(element).outlineStyle")
            shadow = locator.evaluate("element => getComputedStyle(element).boxShadow")
            assert outline != "none" or shadow != "none"
            return
    raise AssertionError(f"{locator} was not reached with {key}")


def test_screen_readers_are_told_of_the_end(page, worker):
    page.goto(GENERATE)
    fill_brief(page, title="Owls", subject="owl", candidates=1)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")
    live = page.locator("[aria-live=polite][data-imagepipe-run-target=live]")
    live.get_by_text("All pictures are there.").wait_for(state="attached")
    progress = page.get_by_role("progressbar", name="Progress of the run")
    assert progress.count() == 0 or progress.is_hidden()
