"""The run page under ASGI: it listens, and asks when it cannot."""

from __future__ import annotations

import pytest

from imagepipe.prompts.models import PromptTemplate
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Run, RunState, StepRun
from tests.browser.asgi_server import asgi_server
from tests.browser.conftest import PHONE
from tests.browser.studio_pages import fill_brief, overflow, violations, wait_for_end

__all__ = ["asgi_server"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def asked(asgi_page):
    """Addresses that the page asked for."""
    asked: list[str] = []
    asgi_page.on("request", lambda request: asked.append(request.url))
    return asked


@pytest.fixture
def asgi_page(asgi_server, open_browser):
    return open_browser(base_url=asgi_server)


def test_the_page_follows_by_events_and_never_asks(asgi_page, asked, worker, shoot):
    page = asgi_page
    PromptTemplate.objects.update(steps=60)
    fill_brief(page, title="Panda for the zoo", subject="panda", candidates=2)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")
    page.locator("[data-follows=stream]").wait_for()
    page.locator("g[data-node=generate-00][data-state=running]").wait_for()
    shoot(page, "run-steps-live")
    page.locator("g[data-node=generate-00][data-state=succeeded]").wait_for()
    wait_for_end(page)
    page.locator("g[data-node=offer-01][data-state=succeeded]").wait_for()
    assert [url for url in asked if "/events/" in url]
    assert not [url for url in asked if url.endswith("/progress/")]
    page.locator("[data-follows]").wait_for(state="detached")
    shoot(page, "run-steps")


def test_what_a_changed_size_took_over_is_drawn(asgi_page, editor, worker, open_browser, shoot):
    """The same picture in another size: generated once, scaled and marked twice."""
    template = PromptTemplate.objects.get()
    for side in (192, 256):
        brief = Brief(
            variables={"subject": "panda"}, candidates=1, seed=7, seed_policy="fixed",
            width=side, height=side,
        )  # fmt: skip
        run = StartRun(Run(title=f"Panda, {side} px", template=template), editor, brief=brief)
        run = run.execute()
        asgi_page.goto(f"/admin/imagepipe/runs/{run.uid}/")
        wait_for_end(asgi_page)
    page = asgi_page
    page.locator("g[data-node=generate-00][data-state=reused]").wait_for()
    for node in ("prompt-policy", "upscale-00", "finish-00", "checks-00", "offer-00"):
        page.locator(f"g[data-node={node}][data-state=succeeded]").wait_for()
    page.get_by_text("Computed: 5 · Taken over: 1").wait_for()
    page.locator(".imagepipe-graph").scroll_into_view_if_needed()
    shoot(page, "run-reused")
    address = page.url.partition("/admin/")[2]
    for name, options in (("dark", {"color_scheme": "dark"}), ("phone", {"viewport": PHONE})):
        other = open_browser(**options)
        other.goto(f"/admin/{address}")
        other.locator(".imagepipe-graph").scroll_into_view_if_needed()
        assert overflow(other) <= 0
        assert violations(other) == []
        shoot(other, f"run-reused-{name}")


def test_the_page_asks_when_nobody_sends_events(asgi_page, asked, worker):
    page = asgi_page
    page.route("**/events/", lambda route: route.fulfill(status=503))
    fill_brief(page, title="Owls", subject="owl", candidates=1)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")
    wait_for_end(page)
    assert [url for url in asked if url.endswith("/progress/")]
    assert StepRun.objects.filter(state=RunState.SUCCEEDED).count() == 6
    assert Run.objects.get().state == RunState.SUCCEEDED
