"""What pages say around a picture."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wagtail.models import Locale, Page
from website.pages import HomePage, StoryPage

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion
from imagepipe.seo.alt_text.composed import Composed
from imagepipe.seo.alt_text.context import REACH, places_of
from imagepipe.seo.alt_text.facts import gather
from imagepipe.seo.alt_text.suggesting import suggest
from imagepipe.views.alt_cards import advise
from tests.delivery.library import Library

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(library: Library) -> Page:
    Locale.objects.get_or_create(language_code="en")
    root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
    return root.add_child(instance=HomePage(title="The Harbour Room", slug="harbour-room"))


@pytest.fixture
def asset(library: Library) -> Asset:
    asset = library.asset("Fishing boats at dawn", alt=False, decorative=True)
    library.do(PublishVersion(library.version(asset, file_name="IMG_1.jpg"), None))
    asset.refresh_from_db()
    return asset


def story(home: Page, asset: Asset, *body: tuple[str, Any], **fields: Any) -> StoryPage:
    blocks = [{"type": kind, "value": value} for kind, value in body]
    page = StoryPage(
        title=fields.pop("title", "Early risers"), lead="A lead", body=json.dumps(blocks),
        **fields,
    )  # fmt: skip
    home.add_child(instance=page)
    return page


def figure(asset: Asset, caption: str = "") -> dict[str, Any]:
    return {"image": {"image": asset.image_id}, "caption": caption}


def test_text_before_beside_and_after(home: Page, asset: Asset, library: Library) -> None:
    other = library.asset("Other", decorative=True)
    library.do(PublishVersion(library.version(other), None))
    other.refresh_from_db()
    page = story(
        home,
        asset,
        ("heading", "In the harbour"),
        ("text", "<p>The <b>boats</b> leave at five &amp; come back at noon.</p>"),
        ("figure", figure(asset, "Dawn over the pier.")),
        ("text", "<p>" + "Afterwards there is coffee. " * 50 + "</p>"),
        ("figure", figure(other, "Somebody else's caption")),
    )
    [place] = places_of(asset)
    assert (place.page, place.title, place.language) == (page.pk, "Early risers", "en")
    assert place.before == "In the harbour The boats leave at five & come back at noon."
    assert place.caption == "Dawn over the pier."
    assert place.after.startswith("Afterwards there is coffee.") and len(place.after) <= REACH
    [there] = places_of(other)
    assert there.caption == "Somebody else's caption" and there.after == ""


def test_a_picture_of_the_page_itself(home: Page, asset: Asset) -> None:
    story(home, asset, hero_id=asset.image_id)
    [place] = places_of(asset)
    assert (place.title, place.before, place.after) == ("Early risers", "", "A lead")


def test_at_most_three_places_and_none_without_an_image(
    home: Page, asset: Asset, library: Library
) -> None:
    for number in range(5):
        story(home, asset, title=f"Story {number}", hero_id=asset.image_id)
    assert len(places_of(asset)) == 3
    assert places_of(library.asset("Loose")) == ()


def test_the_page_is_named_where_it_speaks_of_the_title(home: Page, asset: Asset) -> None:
    story(home, asset, ("text", "<p>Boats, everywhere.</p>"), ("figure", figure(asset)))
    outcome = suggest(asset, ["en"], [Composed()])
    assert outcome is not None
    caption = outcome.made[0].caption
    assert caption.text == "Fishing boats at dawn"
    assert [(w.source, w.text) for w in caption.words] == [
        ("title", "Fishing boats at dawn"), ("page", "Early risers"),
    ]  # fmt: skip


def test_another_text_on_the_page_makes_another_fingerprint(home: Page, asset: Asset) -> None:
    version = asset.versions.get()
    before = gather(asset, version).fingerprint("x")
    assert gather(asset, version).fingerprint("x") == before
    story(home, asset, hero_id=asset.image_id)
    assert gather(asset, version).fingerprint("x") != before


def test_a_text_that_repeats_the_caption_is_pointed_out(home: Page, asset: Asset) -> None:
    story(home, asset, ("figure", figure(asset, "Dawn over the pier.")))
    assert "repeats the caption" in advise(asset, "Dawn over the pier.", "en")[-1]
    assert advise(asset, "Three boats leave", "en") == []
