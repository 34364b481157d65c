"""What the pictures of a page cost: the demonstration's page with twenty of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.images import get_image_model
from wagtail.models import Collection, Page
from website.demo import content, people
from website.demo.library import People, publish_photographs
from website.demo.orders import ORDERS
from website.pages import StoryPage

from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.reconcile import reconcile_now
from tests.delivery.conftest import library
from tests.delivery.library import GENERATED, Library

__all__ = ["library"]

PATH = "/en/twenty-things/"


@pytest.fixture
def page(library: Library, tmp_path: Path) -> StoryPage:
    """The demonstration's pages; the one with all pictures."""
    if not Collection.get_first_root_node():
        Collection.add_root(name="Root")
    if not Page.get_first_root_node():
        Page.add_root(title="Root", slug="root")
    people.create_people(tmp_path / "log-ins.json")
    images: dict[str, Any] = publish_photographs(People.load(), lambda text: None)
    for order in ORDERS:  # pixels do not matter here
        asset = library.asset(title=order.title)
        version = library.version(asset, source_type=GENERATED)
        library.do(PublishVersion(version, None))
        reconcile_now(asset=asset)
        asset.refresh_from_db()
        images[order.key] = asset.image
    content.create_pages(images, port=80)
    return StoryPage.objects.get(slug="twenty-things", locale__language_code="en")


def visit(client: Client) -> tuple[list[str], str]:
    """The statements that a visit takes, and the page."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(PATH)
    assert answer.status_code == 200
    return [query["sql"] for query in captured], answer.content.decode()


def cold_and_warm(client: Client) -> tuple[list[str], list[str], str]:
    cache.clear()
    cold, _html = visit(client)
    warm, html = visit(client)
    return cold, warm, html


def test_twenty_pictures_cost_one_query_when_cold_and_none_when_warm(
    page: StoryPage, client: Client
) -> None:
    """The hero is met first and loads the delivery data of all; image rows are never read."""
    visit(client)  # content types and the like are remembered by the process
    cold, warm, html = cold_and_warm(client)
    assert html.count("<picture>") == 21
    page.hero, page.body = None, []
    page.save(clean=False)
    cold_without, warm_without, html = cold_and_warm(client)
    assert "<picture>" not in html
    assert len(cold) - len(cold_without) == 1
    assert len(warm) - len(warm_without) == 0
    assert f'FROM "{get_image_model()._meta.db_table}"' not in " ".join(cold + warm)


def test_what_a_template_asks_of_warm_images_costs_one_query_for_all(
    page: StoryPage, client: Client, django_assert_num_queries: Any
) -> None:
    cache.clear()
    visit(client)
    [gallery] = StoryPage.objects.get(pk=page.pk).body
    with django_assert_num_queries(0):
        images = list(gallery.value)
    assert len(images) == 20
    with django_assert_num_queries(1):
        titles = [(image.title, image.file.name, image.contextual_alt_text) for image in images]
    rows = {image.pk: image for image in get_image_model().objects.all()}
    assert [(title, name) for title, name, _alt in titles] == [
        (rows[image.pk].title, rows[image.pk].file.name) for image in images
    ]


def test_a_warm_image_that_is_gone_is_passed_over(page: StoryPage, client: Client) -> None:
    cache.clear()
    visit(client)
    [gallery] = StoryPage.objects.get(pk=page.pk).body
    image = list(gallery.value)[0]
    get_image_model().objects.filter(pk=image.pk).delete()
    with pytest.raises(get_image_model().DoesNotExist, match="has been deleted"):
        _title = image.title
