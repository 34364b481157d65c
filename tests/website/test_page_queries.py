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


def test_pictures_cost_two_queries_when_cold_and_one_of_wagtail_when_warm(
    page: StoryPage, client: Client
) -> None:
    """Wagtail itself loads the rows of the images in a StreamField; delivery data cost one."""
    visit(client)  # content types and the like are remembered by the process
    cold, warm, html = cold_and_warm(client)
    assert html.count("<picture>") == 21
    page.hero, page.body = None, []
    page.save(clean=False)
    cold_without, warm_without, html = cold_and_warm(client)
    assert "<picture>" not in html
    assert len(cold) - len(cold_without) == 2
    [stream] = [sql for sql in warm if sql not in warm_without]
    assert len(warm) - len(warm_without) == 1
    assert f'FROM "{get_image_model()._meta.db_table}"' in stream
    assert "imagepipe_" not in stream
