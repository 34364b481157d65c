from __future__ import annotations

import datetime as dt
import gzip
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import etree
from wagtail.contrib.sitemaps.views import sitemap as sitemap_view
from wagtail.models import Locale, Page, PageViewRestriction, ReferenceIndex, Site

from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.outbox import request_publication
from imagepipe.provenance.keys import load_keyring
from imagepipe.rights.actions import SetRights
from imagepipe.seo import sections
from imagepipe.seo.page_sitemap import PictureSitemap
from imagepipe.seo.sitemaps import image_sitemap
from imagepipe.urlspec import verify_url
from tests.delivery.library import Library, png

SCHEMA = Path(__file__).with_name("sitemap.xsd")
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
    assert response["Cache-Control"] == "public, max-age=60"
    tree = etree.fromstring(response.getvalue())
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(tree)
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


UNCLEARED: dict[str, dict[str, Any]] = {
    "expired": {"valid_until": dt.datetime(2026, 1, 2, tzinfo=dt.UTC)},
    "not begun": {"valid_from": dt.datetime(2099, 1, 2, tzinfo=dt.UTC)},
    "consent missing": {"persons": "missing"},
    "for others": {"channels": ["print"]},
}
CLEARED = {"valid_from": None, "valid_until": None, "persons": "none", "channels": []}


@pytest.mark.parametrize("reason", UNCLEARED)
def test_what_is_not_cleared_leaves_at_once(home: Page, library: Library, reason: str) -> None:
    asset = published(library)
    refer(home, asset.image)
    assert len(pairs()) == 1
    library.do(SetRights(asset, None, values=UNCLEARED[reason]))
    assert pairs() == []
    library.do(SetRights(asset, None, values=dict(CLEARED)))
    assert len(pairs()) == 1


def test_wagtails_sitemap_with_pictures(
    home: Page, library: Library, settings: Any, django_assert_max_num_queries: Any
) -> None:
    """The same pictures for sites that have one sitemap."""
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "SITEMAP_DETAILS": True}
    asset, gone = published(library), published(library)
    library.do(WithdrawAsset(gone, None, reason="test"))
    changed = dt.datetime(2020, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
    for number in range(3):
        page = Page(title="A & B", slug=f"p{number}", last_published_at=changed)
        page = home.add_child(instance=page)
        for image in (asset.image, gone.image):
            refer(page, image)
    mine = {"pages": PictureSitemap}
    request = RequestFactory().get("/sitemap.xml")
    with django_assert_max_num_queries(14):
        response = sitemap_view(request, mine, template_name="imagepipe/sitemap.xml").render()
    tree = etree.fromstring(response.content)
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(tree)
    urls = {url.findtext("s:loc", namespaces=NAMES): url for url in tree}
    assert list(urls) == [f"http://testserver/en/{n}" for n in ("", "p0/", "p1/", "p2/")]
    listed = [url.findall("i:image", NAMES) for url in urls.values()]
    assert [len(images) for images in listed] == [0, 1, 1, 1]
    assert [image.findtext("i:loc", namespaces=NAMES) for image in listed[1]] == pairs()[0][1]
    assert listed[1][0].findtext("i:caption", namespaces=NAMES) == "Boats in the harbour"
    last = urls["http://testserver/en/p0/"].findtext("s:lastmod", namespaces=NAMES)
    assert dt.datetime.fromisoformat(last) == dt.datetime.fromisoformat(told(asset))


def test_other_sites_pages_are_not_listed(home: Page, library: Library) -> None:
    other = Page.get_first_root_node().add_child(instance=Page(title="Other", slug="other"))
    refer(other, published(library).image)
    assert pairs() == []


def test_queries_do_not_grow_with_pages(home: Page, library: Library) -> None:
    asset = published(library)
    counts = []
    for number in range(12):
        page = home.add_child(instance=Page(title=f"P{number}", slug=f"p{number}"))
        refer(page, asset.image)
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert len(pairs()) == number + 1
        counts.append(len(queries))
    assert counts == [14] * 12


def test_the_day_of_the_last_change(home: Page, library: Library) -> None:
    asset = published(library)
    changed = dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
    page = home.add_child(instance=Page(title="A", slug="a", last_published_at=changed))
    refer(page, asset.image)
    assert url_element().findtext("s:lastmod", namespaces=NAMES) == told(asset)

    later = timezone.now().replace(microsecond=0) + dt.timedelta(days=1)
    Page.objects.filter(pk=page.pk).update(last_published_at=later)
    assert url_element().findtext("s:lastmod", namespaces=NAMES) == later.isoformat()


def told(asset: Asset) -> str:
    seconds = asset.publication.document["changed"]
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def test_republishing_the_same_is_no_change(home: Page, library: Library) -> None:
    asset = published(library)
    publication = asset.publication
    publication.document = {**publication.document, "changed": 1_700_000_000}
    publication.save()
    for texts, expected in (({}, True), ({"en": "Other boats"}, False)):
        library.do(SetAltText(asset, None, texts={**asset.alt_texts(), **texts}))
        request_publication(asset)
        publication.refresh_from_db()
        assert (publication.document["changed"] == 1_700_000_000) is expected


def url_element() -> etree._Element:
    [element] = sitemap().findall("s:url", NAMES)
    return element


def test_details_for_engines_that_read_them(
    home: Page, library: Library, settings: Any
) -> None:
    asset = library.asset(title="Bell\x07 & boat")
    asset.rights.licence_url = "https://example.org/licence?a=1&b=2"
    asset.rights.save()
    library.do(PublishVersion(library.version(asset, png(900, 600)), None))
    asset.refresh_from_db()
    refer(home, asset.image)
    assert url_element().find("i:image/i:title", NAMES) is None

    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "SITEMAP_DETAILS": True}
    image = url_element().find("i:image", NAMES)
    assert [etree.QName(child).localname for child in image] == [
        "loc",
        "caption",
        "title",
        "license",
    ]
    assert [child.text for child in image][1:] == [
        "Boats in the harbour",
        "Bell & boat",
        "https://example.org/licence?a=1&b=2",
    ]


def test_a_large_site_has_an_index(
    home: Page, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "MOST_PAGES", 2)
    assets = [published(library), published(library)]
    for number in range(5):
        page = home.add_child(instance=Page(title=f"P{number}", slug=f"p{number}"))
        refer(page, assets[number % 2].image)
    index = etree.fromstring(get("/sitemap-images.xml").getvalue())
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("siteindex.xsd")))
    schema.assertValid(index)
    parts = [loc.text for loc in index.findall("s:sitemap/s:loc", NAMES)]
    assert parts == [f"http://testserver/sitemap-images-{n}.xml" for n in (1, 2, 3)]

    listed = []
    for part in parts:
        tree = etree.fromstring(get(part.removeprefix("http://testserver")).getvalue())
        listed.append([loc.text for loc in tree.findall("s:url/s:loc", NAMES)])
    assert listed == [
        [f"http://testserver/en/p{n}/" for n in numbers] for numbers in ((0, 1), (2, 3), (4,))
    ]
    assert get("/sitemap-images-4.xml").status_code == 404

    new = home.add_child(instance=Page(title="New", slug="new"))
    refer(new, assets[0].image)
    assert b"/en/new/" in get("/sitemap-images-3.xml").getvalue()


def test_many_pictures_divide_pages_too(
    home: Page, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "MOST_IMAGES_A_FILE", 3)
    assets = [published(library), published(library)]
    for number in range(3):
        page = home.add_child(instance=Page(title=f"P{number}", slug=f"p{number}"))
        for asset in assets:
            refer(page, asset.image)
    assert len(sections.sections_of(Site.objects.get())) == 3


def test_packed_for_those_who_can_unpack(home: Page, library: Library) -> None:
    refer(home, published(library).image)
    plain, packed = get("/sitemap-images.xml"), get("/sitemap-images.xml", "br, gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert {plain["Vary"], packed["Vary"]} == {"Accept-Encoding, Accept-Language"}
    assert gzip.decompress(packed.getvalue()) == plain.getvalue()


def get(path: str, accept_encoding: str = "") -> Any:
    return Client().get(path, headers={"accept-encoding": accept_encoding})
