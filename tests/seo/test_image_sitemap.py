from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import models
from django.test import RequestFactory
from lxml import etree
from wagtail.models import Locale, Page, PageViewRestriction, ReferenceIndex, Site

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.provenance.keys import load_keyring
from imagepipe.seo.sitemaps import image_sitemap
from imagepipe.urlspec import verify_url
from tests.delivery.library import Library, png

NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "i": "http://www.google.com/schemas/sitemap-image/1.1",
}


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


@pytest.fixture
def home(library: Library) -> Page:
    root = Page.get_first_root_node()
    home = root.add_child(instance=Page(title="Home & more", slug="sitemap-home"))
    Site.objects.all().delete()
    Site.objects.create(hostname="testserver", root_page=home, is_default_site=True)
    return home


def published(library: Library) -> Asset:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(900, 600)), None))
    asset.refresh_from_db()
    return asset


def refer(page: Page, image: models.Model) -> None:
    ReferenceIndex.objects.create(
        content_type=ContentType.objects.get_for_model(type(page)),
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=str(page.pk),
        to_content_type=ContentType.objects.get_for_model(type(image)),
        to_object_id=str(image.pk),
        model_path="hero",
        content_path=f"hero{image.pk}",
        content_path_hash=uuid.uuid4(),
    )


def sitemap() -> etree._Element:
    response = image_sitemap(RequestFactory().get("/sitemap-images.xml"))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=300"
    tree = etree.fromstring(response.content)
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("sitemap.xsd")))
    schema.assertValid(tree)
    return tree


def pairs() -> list[tuple[str, list[str]]]:
    return [
        (
            url.findtext("s:loc", namespaces=NAMES),
            [loc.text for loc in url.findall("i:image/i:loc", NAMES)],
        )
        for url in sitemap().findall("s:url", NAMES)
    ]


def test_pages_with_their_published_pictures(home: Page, library: Library) -> None:
    one, two = published(library), published(library)
    page = home.add_child(instance=Page(title="A", slug="a"))
    for image in (one.image, two.image):
        refer(page, image)
    refer(home, one.image)

    found = pairs()

    assert [url for url, _images in found] == [
        "http://testserver/en/",
        "http://testserver/en/a/",
    ]
    assert found[0][1] == found[1][1][:1]
    assert len(found[1][1]) == 2
    for address, asset in zip(found[1][1], (one, two), strict=True):
        path = verify_url(address.removeprefix("https://edge.example"), load_keyring(), 0)
        assert (path.asset, path.extension) == (asset.uid.hex, "jpg")


def test_pages_of_other_languages_are_listed_too(home: Page, library: Library) -> None:
    german = Locale.objects.create(language_code="de")
    other = Page(
        title="Start", slug="start", locale=german, translation_key=home.translation_key
    )
    Page.get_first_root_node().add_child(instance=other)
    refer(other, published(library).image)
    assert [url for url, _images in pairs()] == ["http://testserver/de/"]


def test_what_may_not_be_seen_is_not_listed(home: Page, library: Library) -> None:
    asset, gone = published(library), published(library)
    draft = home.add_child(instance=Page(title="Draft", slug="draft", live=False))
    private = home.add_child(instance=Page(title="Private", slug="private"))
    PageViewRestriction.objects.create(page=private, restriction_type="login")
    for page in (draft, private):
        refer(page, asset.image)
    open_page = home.add_child(instance=Page(title="Open", slug="open"))
    refer(open_page, gone.image)
    library.do(WithdrawAsset(gone, None, reason="test"))
    assert pairs() == []


def test_other_sites_pages_are_not_listed(home: Page, library: Library) -> None:
    other = Page.get_first_root_node().add_child(instance=Page(title="Other", slug="other"))
    refer(other, published(library).image)
    assert pairs() == []


def test_queries_do_not_grow_with_pages(
    home: Page, library: Library, django_assert_max_num_queries: object
) -> None:
    asset = published(library)
    for number in range(12):
        page = home.add_child(instance=Page(title=f"P{number}", slug=f"p{number}"))
        refer(page, asset.image)
    cache.clear()
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        assert len(pairs()) == 12
