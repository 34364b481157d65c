from __future__ import annotations

import pytest

from imagepipe.assets.models import Asset
from imagepipe.delivery.models import Publication
from imagepipe.prompts.models import PromptTemplate
from imagepipe.workflow.models import Candidate, Run
from tests.browser.studio_pages import GENERATE, start, wait_for_end

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_the_brief_to_the_published_picture(page, worker, shoot):
    PromptTemplate.objects.update(steps=60)  # long enough to be watched
    start(page, title="Panda for the zoo", subject="panda")
    first = page.locator("article.imagepipe-card").first
    preview = first.locator("[data-preview]:not([hidden])")
    preview.wait_for()
    page.wait_for_function(
        "i => i.complete && i.naturalWidth > 0", arg=preview.element_handle()
    )
    shoot(page, "generate-in-progress")
    wait_for_end(page)
    page.locator("article.imagepipe-card .imagepipe-checks").nth(3).wait_for()
    assert page.get_by_text("Technical quality: passed").count() == 4
    assert page.get_by_role("button", name="Cancel").is_hidden()
    page.evaluate("window.scrollTo(0, 0)")
    shoot(page, "candidates")

    page.get_by_role("link", name="Approve picture 2").click()
    page.get_by_label("Title").fill("Panda on blue")
    page.get_by_label("Alternative text (English)").fill("A panda before a blue background")
    page.get_by_label("Licence").fill("CC BY 4.0")
    page.get_by_label("Rights holder").fill("Example zoo")
    page.get_by_label("Publish right away").check()
    page.get_by_role("button", name="Approve picture").click()
    page.wait_for_url("**/pictures/*/")
    page.get_by_text("The picture was approved and published.").wait_for()
    asset = Asset.objects.get()
    assert asset.title == "Panda on blue"
    assert asset.published_version is not None
    assert asset.alt_texts() == {"en": "A panda before a blue background"}
    shown = page.get_by_role("img", name="A panda before a blue background")
    assert shown.evaluate("image => image.naturalWidth") == 512
    page.get_by_text("Unchanged since it was signed here").wait_for()
    wait_for_delivery(page, asset)
    page.reload()
    assert page.get_by_text("on its way to the delivery storage").count() == 0
    shoot(page, "asset")
    assert Candidate.objects.get(index=1).asset == asset


def wait_for_delivery(page, asset: Asset) -> None:
    """The worker's housekeeping hands the publication over within a second or two."""
    for _attempt in range(60):
        publication = Publication.objects.get(asset=asset)
        if publication.observed == publication.desired:
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"not delivered: {publication.last_error}")


def test_reject_with_a_reason_and_ask_for_more_like_this(page, worker):
    start(page, title="Balloons", subject="balloon", candidates=2)
    wait_for_end(page)
    card = page.locator("article.imagepipe-card").first
    card.locator("summary", has_text="Reject").click()
    card.get_by_label("Reason").select_option(label="Composition")
    card.get_by_label("Note").fill("More room at the left, please")
    card.get_by_role("button", name="Reject picture").click()
    page.get_by_text("Picture 1 was rejected.").wait_for()
    assert page.get_by_text("More room at the left, please").is_visible()
    page.get_by_role("button", name="More like this, picture 2").click()
    page.get_by_text("More like picture 2 is in the queue.").wait_for()
    wait_for_end(page)
    variation = Run.objects.get(variation_of__index=1)
    assert variation.candidates.count() == 2
    assert page.get_by_role("link", name="Balloons, picture 2").is_visible()


def test_a_run_is_cancelled_and_tried_again(page, worker):
    start(page, title="Sixteen rockets", subject="rocket", candidates=16)
    page.locator("article.imagepipe-card [data-preview]:not([hidden])").first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("What was finished is kept.").first.wait_for()
    assert page.get_by_text("Not made").first.is_visible()
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url(lambda url: Run.objects.latest("pk").retry_of is not None)
    again = Run.objects.latest("pk")
    assert str(again.uid) in page.url
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("What was finished is kept.").first.wait_for()


def test_a_denied_word_is_refused_with_its_reason(page, worker):
    start(page, title="No", subject="naked child")
    page.get_by_text("The prompt breaks a rule of this site").wait_for()
    assert page.get_by_role("button", name="Try again").is_visible()
    assert not Candidate.objects.exists()


def test_switching_the_template_keeps_what_was_typed(page):
    page.goto(GENERATE)
    page.get_by_label("Brief").fill("Kept")
    page.get_by_label("Object").fill("robot")
    page.get_by_label("Prompt template").select_option(index=0)
    prompt = page.locator("[name=prompt]")
    prompt.wait_for()
    prompt.fill("my own words")
    page.get_by_label("Prompt template").select_option(label="Product shot")
    page.get_by_label("Object").wait_for()
    assert page.get_by_label("Object").input_value() == "robot"
    page.get_by_label("Prompt template").select_option(index=0)
    prompt.wait_for()
    assert prompt.input_value() == "my own words"
    assert page.get_by_label("Brief").input_value() == "Kept"


def test_fifty_thousand_characters_are_refused_and_kept(page):
    page.goto(GENERATE)
    page.get_by_label("Brief").fill("Long")
    page.get_by_label("Prompt template").select_option(index=0)
    page.locator("[name=prompt]").fill("x" * 50_000)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.get_by_text("at most 2000 are possible").wait_for()
    assert len(page.locator("[name=prompt]").input_value()) == 50_000
    assert not Run.objects.exists()


def test_polling_is_rare_while_hidden_and_ends_with_the_run(page, request):
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/progress/" in r.url else None)
    start(page, title="Apple", subject="apple", candidates=1)
    assert 2 <= asked_within(page, asked, seconds=5) <= 5
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })"
    )
    page.wait_for_timeout(1500)
    assert asked_within(page, asked, seconds=5) <= 1
    page.evaluate(
        "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
    )
    request.getfixturevalue("worker")
    wait_for_end(page)
    page.wait_for_timeout(1500)
    assert asked_within(page, asked, seconds=4) == 0


def asked_within(page, asked: list[str], *, seconds: int) -> int:
    before = len(asked)
    page.wait_for_timeout(1000 * seconds)
    return len(asked) - before


def test_a_run_that_is_no_longer_shown_is_no_longer_asked_for(page):
    """It leaves while a card is on its way, as in the chooser's tab."""
    asked, cards = [], []

    def progress(route):
        asked.append(route.request.url)
        answer = route.fetch()
        told = answer.json()
        told["candidates"][0] |= {"uid": "a" * 32, "key": "offered-1"}
        route.fulfill(response=answer, json=told)

    page.route("**/progress/", progress)
    page.route("**/cards/0/", lambda route: cards.append(route))
    start(page, title="Apple", subject="apple", candidates=1)
    for _tenth in range(100):
        if cards:
            break
        page.wait_for_timeout(100)
    page.evaluate("document.querySelector('[data-controller~=imagepipe-run]').remove()")
    page.wait_for_timeout(300)
    before = len(asked)
    cards[0].fulfill(body="<article></article>", content_type="text/html")
    page.wait_for_timeout(3500)
    assert len(asked) == before
