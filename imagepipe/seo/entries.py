"""What the image sitemap lists: public pages with the pictures that may be shown now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from wagtail.images import get_image_model
from wagtail.models import Locale, Page, ReferenceIndex, Site

from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.alternatives import choose_alt
from imagepipe.delivery.pictures import fresh_deliveries, shown_document
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.sources import widest_transform
from imagepipe.provenance.keys import load_keyring

MOST_IMAGES = 1000
"""Per page: the limit of the protocol."""
CHUNK = 500
PRESET = "content"


@dataclass(frozen=True)
class ListedImage:
    """One picture on a page."""

    location: str
    changed: int | None = None
    """Unix seconds."""
    title: str = ""
    caption: str = ""
    licence: str = ""
    """Address of the licence."""


@dataclass(frozen=True)
class SitemapEntry:
    """One page with its pictures."""

    location: str
    images: tuple[ListedImage, ...]
    changed: dt.datetime | None = None
    """When the page was last published, or one of its pictures last changed."""


def pages_of(site: Site) -> QuerySet[Page]:
    """Live public pages of all languages of a site, by primary key."""
    return Page.objects.live().public().filter(in_any_language(site)).order_by("pk")


def in_any_language(site: Site) -> Q:
    """Pages below the site's root page or one of its translations."""
    roots = site.root_page.get_translations(inclusive=True)
    return reduce(or_, (Page.objects.descendant_of_q(root, inclusive=True) for root in roots))


def entries_of(
    site: Site, request: HttpRequest | None = None, *, first: int = 0, end: int | None = None
) -> Iterator[SitemapEntry]:
    """Pages with pictures, by primary key from ``first`` up to but without ``end``.

    Memory does not grow with their number.
    """
    pages = pages_of(site)
    languages = dict(Locale.objects.values_list("pk", "language_code"))
    for ids in page_ids(pages, first=first, end=end):
        used = images_by_page(ids)
        if not used:
            continue
        found = _documents({pk for images in used.values() for pk in images})
        for page in pages.filter(pk__in=used).specific(defer=True):
            url = page.get_full_url(request)
            images = _listed(used[page.pk], found, languages[page.locale_id])
            if url and images:
                yield SitemapEntry(url, images, latest(page.last_published_at, images))


def images_of_pages(pages: Iterable[Page]) -> dict[int, tuple[ListedImage, ...]]:
    """What may be shown now on each of some pages, by primary key, with three queries."""
    pages, languages = list(pages), dict(Locale.objects.values_list("pk", "language_code"))
    used = images_by_page(page.pk for page in pages)
    found = _documents({pk for images in used.values() for pk in images})
    return {
        page.pk: _listed(used.get(page.pk, ()), found, languages[page.locale_id])
        for page in pages
    }


def page_ids(
    pages: QuerySet[Page], *, first: int = 0, end: int | None = None, chunk: int = CHUNK
) -> Iterator[list[int]]:
    """Primary keys in lists of at most ``chunk``; each list is one query on the index."""
    if end is not None:
        pages = pages.filter(pk__lt=end)
    ids = None
    while ids is None or len(ids) == chunk:
        ids = list(pages.filter(pk__gte=first).values_list("pk", flat=True)[:chunk])
        if ids:
            yield ids
            first = ids[-1] + 1


def images_by_page(page_ids: Iterable[int]) -> dict[int, list[object]]:
    """Primary keys of the images that pages refer to, each once, in the order of the page."""
    image_model = get_image_model()
    rows = (
        ReferenceIndex.objects.filter(
            base_content_type__app_label=Page._meta.app_label,
            base_content_type__model=Page._meta.model_name,
            object_id__in=[str(pk) for pk in page_ids],
            to_content_type__app_label=image_model._meta.app_label,
            to_content_type__model=image_model._meta.model_name,
        )
        .order_by("pk")
        .values_list("object_id", "to_object_id")
    )
    used: dict[int, dict[object, None]] = {}
    for page_id, image_id in rows:
        used.setdefault(int(page_id), {})[image_model._meta.pk.to_python(image_id)] = None
    return {page: list(images) for page, images in used.items()}


def _documents(image_ids: set[object]) -> dict[object, Mapping[str, Any]]:
    """What may be shown now, by image id, with its address under ``location``."""
    preset, keyring = get_preset(PRESET), load_keyring()
    found: dict[object, Mapping[str, Any]] = {}
    for pk, delivery in fresh_deliveries(image_ids).items():
        if (document := shown_document(delivery)) is not None:
            widest = widest_transform(document, preset)
            location = edge_url(document, widest, "jpg", keyring=keyring)
            found[pk] = {**document, "location": location}
    return found


def _listed(
    image_ids: Iterable[object], found: Mapping[object, Mapping[str, Any]], language: str
) -> tuple[ListedImage, ...]:
    images = (_image(found[pk], language) for pk in image_ids if pk in found)
    return tuple({image.location: image for image in images}.values())[:MOST_IMAGES]


def _image(document: Mapping[str, Any], language: str) -> ListedImage:
    return ListedImage(
        document["location"],
        document.get("changed"),
        document["title"],
        choose_alt(document["alt"], language),
        (document.get("rights") or {}).get("licence_url", ""),
    )


def latest(
    published: dt.datetime | None, images: Iterable[ListedImage]
) -> dt.datetime | None:
    """When the page was published or one of its pictures changed; None if nobody knows."""
    moments = [dt.datetime.fromtimestamp(i.changed, dt.UTC) for i in images if i.changed]
    return max([*moments, published] if published else moments, default=None)
