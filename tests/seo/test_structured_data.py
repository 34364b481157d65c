from __future__ import annotations

import json
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from lxml import html

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.provenance.keys import load_keyring
from imagepipe.seo.image_object import source_type
from imagepipe.urlspec import verify_url
from tests.delivery.library import GENERATED, Library, png

PAGE = """{% load imagepipe_tags %}
{% for image in images %}{% picture image "card" %}{% endfor %}{% picture_data %}"""


def published(library: Library, **fields: Any) -> Asset:
    asset = library.asset(title=fields.pop("title", "Harbour"))
    library.do(PublishVersion(library.version(asset, png(1300, 900), **fields), None))
    asset.refresh_from_db()
    return asset


def render(text: str, **values: Any) -> html.HtmlElement:
    context = Context({"request": RequestFactory().get("/"), **values})
    return html.fromstring(f"<div>{Template(text).render(context)}</div>")


def graph(*images: Any) -> list[dict[str, Any]]:
    [script] = render(PAGE, images=images).xpath('//script[@type="application/ld+json"]')
    data = json.loads(script.text)
    assert data["@context"] == "https://schema.org"
    return data["@graph"]


def test_every_picture_of_the_page_once(library: Library) -> None:
    one, two = published(library), published(library, title="Quay")
    found = graph(one.image, two.image, one.image)
    assert [item["name"] for item in found] == ["Harbour", "Quay"]


def test_what_is_said_of_a_generated_picture(library: Library, settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "CREATOR": "The Harbour Room"}
    asset = library.asset()
    asset.rights.licence_url = "https://example.org/licence"
    asset.rights.acquire_url = "https://example.org/buy"
    asset.rights.save()
    version = library.version(
        asset, png(1300, 900), source_type=GENERATED, recipe_sha256="c0" * 32
    )
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()

    [found] = graph(asset.image)

    path = verify_url(
        found.pop("contentUrl").removeprefix("https://edge.example"), load_keyring(), 0
    )
    assert (path.asset, path.extension, path.transform.width) == (asset.uid.hex, "jpg", 1300)
    assert found == {
        "@type": "ImageObject",
        "name": "Harbour",
        "description": "Boats in the harbour",
        "license": "https://example.org/licence",
        "acquireLicensePage": "https://example.org/buy",
        "creditText": "Photo: Ada",
        "copyrightNotice": "© Ada",
        "creator": {"@type": "Organization", "name": "The Harbour Room"},
        "digitalSourceType": "https://schema.org/TrainedAlgorithmicMediaDigitalSource",
        "identifier": [
            {"@type": "PropertyValue", "propertyID": "asset", "value": asset.uid.hex},
            {"@type": "PropertyValue", "propertyID": "version", "value": version.sha256[:16]},
            {"@type": "PropertyValue", "propertyID": "recipe", "value": "c0" * 32},
        ],
    }


def test_titles_cannot_leave_the_script(library: Library) -> None:
    title = "</script><script>alert(1)</script>&amp;"
    [found] = graph(published(library, title=title).image)
    assert found["name"] == title


def test_nothing_is_said_of_what_is_not_shown(library: Library) -> None:
    asset = published(library)
    library.do(WithdrawAsset(asset, None, reason="test"))
    assert not render(PAGE, images=[asset.image]).xpath("//script")


@pytest.mark.parametrize(
    ("iptc", "name"),
    [
        (GENERATED, "https://schema.org/TrainedAlgorithmicMediaDigitalSource"),
        ("https://elsewhere.example/x", ""),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/a/b", ""),
        ("", ""),
    ],
)
def test_source_types(iptc: str, name: str) -> None:
    assert source_type(iptc) == name


def test_the_card_of_a_link(library: Library) -> None:
    asset = published(library)
    page = render("{% load imagepipe_tags %}{% picture_card image %}", image=asset.image)
    found = {
        meta.get("property") or meta.get("name"): meta.get("content")
        for meta in page.xpath("//meta")
    }
    address = found.pop("og:image").removeprefix("https://edge.example")
    transform = verify_url(address, load_keyring(), 0).transform
    assert (transform.width, transform.height) == (1200, 630)
    assert found == {
        "og:image:type": "image/jpeg",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Boats in the harbour",
        "twitter:card": "summary_large_image",
    }
