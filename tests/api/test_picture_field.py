from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.serializers import Serializer
from wagtail.models import Page

from imagepipe.api.fields import PictureField
from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.crop_actions import SetCrop
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import verify_url
from tests.delivery.library import GENERATED, Library, png
from tests.fields.conftest import Published
from tests.fields.models import ReportPage, Teaser


class ReportSerializer(Serializer):  # type: ignore[type-arg]
    hero = PictureField("card", sizes="50vw")


def report(asset: Asset, slug: str = "report", **fields: Any) -> ReportPage:
    page = ReportPage(title=slug, slug=slug, hero=asset.image, **fields)
    Page.objects.get(depth=1).add_child(instance=page)
    return ReportPage.objects.get(pk=page.pk)


def data_of(instance: Any, **options: Any) -> Any:
    context = {"request": RequestFactory().get("/api/")}
    return json.loads(json.dumps(ReportSerializer(instance, context=context, **options).data))


def transforms(srcset: str) -> list[str]:
    found = []
    for part in srcset.split(", "):
        address, width = part.split(" ")
        path = verify_url(address.removeprefix("https://edge.example"), load_keyring(), 0)
        assert width == f"{path.transform.width}w"
        found.append(f"{path.transform.width} {path.extension}")
    return found


def test_what_a_front_end_needs(published: Published) -> None:
    asset = published(1000, 750)
    use = {"alt_text": "Boats at dawn"}
    hero = data_of(report(asset, hero_use=use))["hero"]
    assert transforms(hero["srcset"]) == [f"{width} jpg" for width in (320, 480, 640, 800)]
    assert [source["type"] for source in hero["sources"]] == ["image/avif", "image/webp"]
    assert transforms(hero["sources"][0]["srcset"])[-1] == "800 avif"
    assert hero["src"] == hero["srcset"].rpartition(", ")[2].partition(" ")[0]
    assert (hero["width"], hero["height"], hero["sizes"]) == (800, 600, "50vw")
    assert hero["alt"] == "Boats at dawn"
    assert hero["asset"] == asset.uid.hex
    assert hero["terms"] == {"licence": "CC BY 4.0", "holder": "Ada", "credit": "Photo: Ada"}
    assert hero["disclosure"] == ""
    assert hero["html"].startswith("<picture>") and 'alt="Boats at dawn"' in hero["html"]


def test_one_element_alone(published: Published) -> None:
    """The attributes of an `<img>` that needs no `<picture>`: the edge chooses the format."""
    hero = data_of(report(published(1000, 750)))["hero"]
    image = hero["img"]
    shared = ("alt", "sizes", "width", "height")
    assert {name: image[name] for name in shared} == {name: hero[name] for name in shared}
    assert transforms(image["srcset"]) == [f"{width} auto" for width in (320, 480, 640, 800)]
    assert image["srcset"].endswith(f"{image['src']} 800w")
    others = {name: image[name] for name in image.keys() - {*shared, "src", "srcset"}}
    assert others == {"loading": "lazy", "decoding": "async"}


def test_a_generated_picture_is_disclosed(library: Library) -> None:
    asset = library.asset()
    facts = {"source_type": GENERATED, "recipe_sha256": "a" * 64}
    version = library.version(asset, png(900, 600), **facts)
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    hero = data_of(report(asset))["hero"]
    assert (hero["disclosure"], hero["recipe"]) == ("AI-generated", "a" * 64)
    assert "imagepipe-disclosure" in hero["html"]


def test_a_withdrawn_picture_is_nothing(published: Published, library: Library) -> None:
    asset = published()
    page = report(asset)
    library.do(WithdrawAsset(asset, None, reason="test"))
    assert data_of(page) == {"hero": None}


def test_a_list_costs_one_query(published: Published, django_assert_num_queries: Any) -> None:
    for number in range(5):
        report(published(), slug=f"r{number}")
    pages = list(ReportPage.objects.order_by("pk"))
    cache.clear()
    with django_assert_num_queries(1):
        assert all(item["hero"]["src"] for item in data_of(pages, many=True))
    with django_assert_num_queries(0):
        data_of(pages, many=True)


def test_blocks_say_the_same(published: Published) -> None:
    asset = published()
    crop = [0, 0, 0.5, 1]
    value = {"image": asset.image_id, "alt_text": "Bow", "decorative": False, "crop": crop}
    page = report(asset)
    page.body = json.dumps([{"type": "picture", "value": value}])
    page.save()
    page = ReportPage.objects.get(pk=page.pk)
    context = {"request": RequestFactory().get("/api/")}
    block = page.body.stream_block
    [found] = block.get_api_representation(page.body, context=context)
    picture = found["value"]["picture"]
    assert picture["alt"] == "Bow"
    assert (picture["width"], picture["height"]) == (500, 600)
    assert found["value"]["image"] == asset.image_id


@pytest.mark.parametrize("context", [{}, None])
def test_without_a_request(published: Published, context: Any) -> None:
    data = ReportSerializer(report(published()), context=context or {}).data
    assert data["hero"]["src"].startswith("https://edge.example/")


class DirectedSerializer(Serializer):  # type: ignore[type-arg]
    hero = PictureField("hero", narrow="square", dark_image="side")


def test_art_direction_and_crops_are_told(published: Published, library: Library) -> None:
    asset, dark = published(1000, 600), published(800, 800)
    version = asset.versions.get()
    library.do(SetCrop(version, None, name="square", region=(0, 0, 6000, 10000)))
    library.do(SetCrop(version, None, name="hero", region=(0, 0, 8000, 7500)))
    teaser = Teaser.objects.create(title="T", hero=asset.image, side=dark.image)
    request = {"request": RequestFactory().get("/api/")}
    hero = DirectedSerializer(Teaser.objects.get(pk=teaser.pk), context=request).data["hero"]
    narrow, night = "(max-width: 40rem)", "(prefers-color-scheme: dark)"
    medias = [variant["media"] for variant in hero["variants"]]
    assert medias == [f"{narrow} and {night}", night, narrow]
    last = hero["variants"][-1]
    assert (last["width"], last["height"]) == (600, 600)
    assert [source["type"] for source in last["sources"]] == [
        "image/avif", "image/webp", "image/jpeg",
    ]  # fmt: skip
    assert all("r_square" in source["srcset"] for source in last["sources"])
    assert dark.uid.hex in hero["variants"][0]["sources"][0]["srcset"]
    assert hero["crop"] == [0, 0, 0.8, 0.75] and "r_hero" in hero["srcset"]
    assert hero["html"].count("<source media=") == 9


def test_a_list_with_art_direction_costs_one_query(published: Published) -> None:
    for _number in range(3):
        one, other = published(1000, 600), published(800, 800)
        Teaser.objects.create(title="T", hero=one.image, side=other.image)
    rows = list(Teaser.objects.all())
    cache.clear()
    context = {"request": RequestFactory().get("/api/")}
    with CaptureQueriesContext(connection) as captured:
        told = DirectedSerializer(rows, many=True, context=context).data
    assert len(captured) == 1
    assert [len(one["hero"]["variants"]) for one in told] == [3, 3, 3]
