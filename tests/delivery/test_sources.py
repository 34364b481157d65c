"""Remembered addresses: what shapes them makes others, and none outlives a withdrawal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.crop_actions import SetCrop
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.sources import (
    sources_of,
    transforms_of,
    widest_address,
    widest_transform,
)
from imagepipe.provenance.keys import create_keys, key_folder, load_keyring
from imagepipe.seo.public_pages import licence_url
from imagepipe.urlspec import Keyring, Preset, verify_url
from tests.delivery.library import GENERATED, Library, png

EDGE = "https://edge.example"
HERO = Preset("hero", (400, 800), (2, 1), "fill", crop="hero")
DOCUMENT = {
    "asset": "0a" * 16,
    "version": "1b" * 8,
    "slug": "harbour",
    "width": 1600,
    "height": 900,
    "crops": {},
}
CROPPED = {"hero": [0, 0, 5000, 5000]}


@pytest.fixture(autouse=True)
def _keys(library: Library, tmp_path: Path, settings: Any) -> None:
    """Of this test alone: some change them."""
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "KEYS": tmp_path / "keys"}
    create_keys()


@pytest.fixture
def asset(library: Library) -> Asset:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(1600, 900)), None))
    asset.refresh_from_db()
    return asset


def render(image: Any, **context: Any) -> str:
    text = "{% load imagepipe_tags %}{% picture image 'hero' alt=alt class=class %}"
    return Template(text).render(Context({"image": image, **context}))


def src(html: str) -> str:
    return html.partition('<img src="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "other",
    [
        {"asset": "0c" * 16},
        {"version": "2c" * 8},
        {"slug": "port"},
        {"width": 700},
        {"height": 200},
        {"crops": CROPPED},
    ],
)
def test_every_fact_of_the_document_counts(library: Library, other: dict[str, Any]) -> None:
    presentation = Presentation(HERO, "")
    before = sources_of(DOCUMENT, presentation)
    after = sources_of({**DOCUMENT, **other}, presentation)
    assert after.src != before.src
    assert sources_of(DOCUMENT, presentation) == before


def test_a_crop_by_name_counts_by_what_it_cuts_out(library: Library) -> None:
    presentation = Presentation(HERO, "")
    sizes = []
    for box in ([0, 0, 5000, 5000], [0, 0, 2000, 5000]):
        found = sources_of({**DOCUMENT, "crops": {"hero": box}}, presentation)
        sizes.append((found.width, found.height))
    assert sizes == [(800, 400), (320, 160)]


@pytest.mark.parametrize(
    "other",
    [
        Presentation(HERO, "", sizes="50vw"),
        Presentation(HERO, "", crop=(0, 0, 5000, 10000)),
        Presentation(HERO, "", crops={"hero": (0, 0, 5000, 10000)}),
        Presentation(Preset("hero", (400, 800), (2, 1), "fill", quality=40), ""),
    ],
)
def test_every_part_of_the_use_counts(library: Library, other: Presentation) -> None:
    assert sources_of(DOCUMENT, other) != sources_of(DOCUMENT, Presentation(HERO, ""))


def test_another_key_and_another_edge_count(library: Library, settings: Any) -> None:
    presentation = Presentation(HERO, "")
    before, widest = (
        sources_of(DOCUMENT, presentation),
        widest_address(DOCUMENT, "content", load_keyring()),
    )
    key_folder().url_keys.write_text(load_keyring().rotated("k2").to_json())
    after = sources_of(DOCUMENT, presentation)
    assert after.src.startswith(f"{EDGE}/k2/")
    assert before.src.startswith(f"{EDGE}/k1/")
    assert widest_address(DOCUMENT, "content", load_keyring()).replace("/k2/", "/k1/") != widest
    verify_url(after.src.removeprefix(EDGE), load_keyring(), 0)
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "EDGE_URL": "https://cdn.example"}
    assert sources_of(DOCUMENT, presentation).src.startswith("https://cdn.example/k2/")


@pytest.mark.parametrize("size", [(1600, 900), (700, 300), (5000, 4000)])
@pytest.mark.parametrize("crops", [{}, CROPPED])
def test_the_widest_is_the_last_of_all(
    library: Library, size: tuple[int, int], crops: dict[str, Any]
) -> None:
    document = {**DOCUMENT, "width": size[0], "height": size[1], "crops": crops}
    assert widest_transform(document, HERO) == transforms_of(document, HERO)[-1]
    found = sources_of(document, Presentation(get_preset("hero"), ""))
    assert widest_address(document, "hero", load_keyring()) == found.src


def test_a_key_that_was_taken_away_signs_no_more(library: Library) -> None:
    sources_of(DOCUMENT, Presentation(HERO, ""))
    key_folder().url_keys.write_text(json.dumps({"active": "k9", "keys": {"k9": "ab" * 32}}))
    only = Keyring.from_json(key_folder().url_keys.read_bytes())
    for candidate in sources_of(DOCUMENT, Presentation(HERO, "")).srcsets["webp"].split(", "):
        verify_url(candidate.partition(" ")[0].removeprefix(EDGE), only, 0)


def test_text_and_class_of_each_use_are_its_own(asset: Asset) -> None:
    first = render(asset.image, alt='"><script>', **{"class": "a"})
    second = render(asset.image, alt="Boats & sea", **{"class": '"b'})
    assert 'alt="&quot;&gt;&lt;script&gt;" class="a"' in first
    assert 'alt="Boats &amp; sea" class="&quot;b"' in second
    assert src(first) == src(second)


@pytest.mark.parametrize("sizes", ['"><script>alert(1)</script>', "100vw"])
def test_sizes_of_templates_are_escaped(asset: Asset, sizes: str) -> None:
    text = "{% load imagepipe_tags %}{% picture image sizes=sizes %}"
    html = Template(text).render(Context({"image": asset.image, "sizes": sizes}))
    assert "<script>" not in html
    assert html.count(' sizes="') == 3


def withdraw(library: Library, asset: Asset) -> None:
    library.do(WithdrawAsset(asset, None, reason="rights"))


def crop(library: Library, asset: Asset) -> None:
    library.do(SetCrop(asset.published_version, None, name="hero", region=(0, 0, 3000, 3000)))


def replace(library: Library, asset: Asset) -> None:
    library.do(PublishVersion(library.version(asset, png(1600, 900)), None))


@pytest.mark.parametrize("change", [withdraw, crop, replace])
def test_what_was_shown_before_a_change_is_not_shown_after_it(
    library: Library, asset: Asset, change: Callable[[Library, Asset], None]
) -> None:
    before = render(asset.image)
    assert render(asset.image) == before != ""
    change(library, asset)
    after = render(asset.image)
    assert src(before) not in after
    assert (after == "") is (change is withdraw)


def test_the_disclosure_is_in_the_language_of_the_page(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, source_type=GENERATED), None))
    asset.refresh_from_db()
    for language, word in (("en", "AI-generated"), ("de", "KI-generiert"), ("en", "AI-gen")):
        with translation.override(language):
            assert word in render(asset.image)


def test_the_licence_page_follows_the_sites_addresses(asset: Asset, settings: Any) -> None:
    inside = licence_url(asset.uid.hex)
    assert str(asset.uid) in inside
    settings.ROOT_URLCONF = "wagtail.documents.urls"
    assert licence_url(asset.uid.hex) == ""
