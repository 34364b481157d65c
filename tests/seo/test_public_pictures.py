"""What the site tells everybody about one picture."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone
from lxml import html

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.provenance.keys import load_keyring
from imagepipe.rights.actions import SetRights
from imagepipe.seo.public_pages import information_url, licence_url
from imagepipe.urlspec import verify_url
from tests.delivery.library import GENERATED, Library, png

EDGE = "https://edge.example"


@pytest.fixture
def asset(library: Library) -> Asset:
    asset = library.asset()
    version = library.version(asset, png(1000, 600), source_type=GENERATED)
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    return asset


def told(client: Client, asset: Asset, **query: Any) -> Any:
    return client.get(information_url(asset.uid.hex), query)


def test_the_information_of_a_picture(client: Client, asset: Asset) -> None:
    answer = told(client, asset)
    facts = answer.json()
    assert (facts["version"], facts["type"], facts["title"]) == ("1.0", "photo", "Harbour")
    assert (facts["width"], facts["height"]) == (1000, 600)
    assert facts["alt"] == {"de": "Boote im Hafen", "en": "Boats in the harbour"}
    assert facts["disclosure"] == "AI-generated" and facts["asset"] == asset.uid.hex
    assert facts["terms"]["licence"] == "CC BY 4.0"
    assert facts["terms"]["page"].endswith(licence_url(asset.uid.hex))
    for row in facts["sizes"]:
        for address in (row["url"], *row["formats"].values()):
            verify_url(address.removeprefix(EDGE), load_keyring(), 0)
    assert facts["html"].startswith("<figure") and facts["url"] in facts["html"]
    assert answer["Access-Control-Allow-Origin"] == "*"
    seen = {"If-None-Match": answer["ETag"]}
    again = client.get(information_url(asset.uid.hex), headers=seen)
    assert again.status_code == 304 and not again.content


def test_sizes_are_asked_for(client: Client, asset: Asset) -> None:
    assert told(client, asset, maxwidth=500).json()["width"] <= 500
    assert told(client, asset, maxheight=1).json()["width"] == 320
    square = told(client, asset, preset="square").json()
    assert square["width"] == square["height"]
    wrongs = ({"maxwidth": "-1"}, {"maxwidth": "9" * 9}, {"preset": "x"}, {"maxheight": "²"})
    for wrong in wrongs:
        assert told(client, asset, **wrong).status_code == 400


def test_what_may_not_be_shown_says_nothing_of_itself(
    client: Client, asset: Asset, library: Library
) -> None:
    draft = library.asset()
    library.version(draft)
    for address in (information_url(draft.uid.hex), licence_url(draft.uid.hex)):
        assert client.get(address).status_code == 404
    ended = {"valid_until": timezone.now() - dt.timedelta(hours=1)}
    library.do(SetRights(asset, None, values=ended))
    for address in (information_url(asset.uid.hex), licence_url(asset.uid.hex)):
        assert client.get(address).status_code == 410
    library.do(SetRights(asset, None, values={"valid_until": None}))
    library.do(WithdrawAsset(asset, None, reason="secret reason"))
    for address in (information_url(asset.uid.hex), licence_url(asset.uid.hex)):
        answer = client.get(address)
        assert answer.status_code == 410 and b"withdrawn" in answer.content
        assert b"secret" not in answer.content and EDGE.encode() not in answer.content


def test_the_licence_page(client: Client, asset: Asset) -> None:
    page = html.fromstring(client.get(licence_url(asset.uid.hex)).content)
    words = " ".join(page.text_content().split())
    for word in ("Harbour", "CC BY 4.0", "Ada", "Photo: Ada", "AI-generated", asset.uid.hex):
        assert word in words
    assert page.xpath("//img/@alt") == ["Boats in the harbour"]
    assert not page.xpath("//@style") and not page.xpath("//script")


def test_pages_point_to_both_and_name_the_picture(asset: Asset, settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "PICTURE_IDENTIFIERS": True}
    text = (
        "{% load imagepipe_tags %}{% picture_card image information=True %}"
        "{% picture image %}{% picture_data %}"
    )
    context = Context({"request": RequestFactory().get("/"), "image": asset.image})
    page = Template(text).render(context)
    address = "http://testserver" + information_url(asset.uid.hex)
    assert f'type="application/json+oembed" href="{address}"' in page
    assert f'data-asset="{asset.uid.hex}"' in page and 'data-version="' in page
    assert f'"license": "http://testserver{licence_url(asset.uid.hex)}"' in page
