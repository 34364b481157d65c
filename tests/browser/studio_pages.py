"""The steps that an editor takes in the Studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

GENERATE = "/admin/imagepipe/generate/"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def fill_brief(page: Page, *, title: str, subject: str, candidates: int = 4) -> None:
    page.goto(GENERATE)
    page.get_by_label("Brief").fill(title)
    page.get_by_label("Prompt template").select_option(label="Product shot")
    page.get_by_label("Object").fill(subject)
    page.get_by_label("Candidates").fill(str(candidates))
    page.get_by_text("Model, seed and size").click()
    page.get_by_label("Seed").fill("7")


def start(page: Page, **brief: object) -> None:
    fill_brief(page, **brief)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_url("**/runs/*/")


def wait_for_end(page: Page) -> None:
    page.get_by_text("All pictures are there.").first.wait_for()


SETTLE = """async () => {
    for (let round = 0; round < 2; round++) {
        for (const animation of document.getAnimations()) {
            if (animation.effect.getComputedTiming().endTime !== Infinity) animation.finish();
        }
        await new Promise(requestAnimationFrame);
    }
}"""
"""What fades in or changes its colour is there at once; what turns for ever goes on."""


def violations(page: Page, rules: Mapping[str, object] = RULES) -> list[str]:
    """What axe finds on the page, once it has settled; one line per rule and element."""
    page.evaluate(SETTLE)
    found = Axe().run(page, options=dict(rules)).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        for node in rule["nodes"]
    ]


def darken(page: Page) -> list[str]:
    """Turn to the dark theme; what axe finds then. Only the colours are other ones."""
    page.emulate_media(color_scheme="dark")
    return violations(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
