"""The image sitemap: which published pictures stand on which public pages.

https://developers.google.com/search/docs/crawling-indexing/sitemaps/image-sitemaps
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from wagtail.images import get_image_model
from wagtail.models import Page, ReferenceIndex, Site

from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.pictures import load_deliveries, shown_document
from imagepipe.delivery.presets import get_preset

MOST_PAGES = 50_000
MOST_IMAGES = 1000
"""Per file and per page; limits of the protocol."""
CHUNK = 500
PRESET = "content"


@dataclass(frozen=True)
class SitemapEntry:
    """One page with the addresses of its pictures."""

    location: str
    images: tuple[str, ...]


@require_safe
@cache_control(public=True, max_age=300)
def image_sitemap(request: HttpRequest) -> HttpResponse:
    """``sitemap-images.xml`` of the site that the request is for."""
    site = Site.find_for_request(request)
    entries = list(islice(entries_of(site, request), MOST_PAGES)) if site else []
    text = render_to_string("imagepipe/sitemap-images.xml", {"entries": entries})
    return HttpResponse(text, content_type="application/xml; charset=utf-8")


def entries_of(site: Site, request: HttpRequest | None = None) -> Iterator[SitemapEntry]:
    """Live public pages of a site with the pictures that may be shown on them now.

    The trees of all languages are the site's, not only that of its root page.
    """
    pages = Page.objects.live().public().filter(in_any_language(site)).order_by("path")
    ids = list(pages.values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        used = _images_by_page(chunk)
        if not used:
            continue
        locations = _locations({pk for images in used.values() for pk in images})
        for page in pages.filter(pk__in=used).specific(defer=True):
            url = page.get_full_url(request)
            images = tuple(
                dict.fromkeys(locations[pk] for pk in used[page.pk] if pk in locations)
            )
            if url and images:
                yield SitemapEntry(url, images[:MOST_IMAGES])


def in_any_language(site: Site) -> Q:
    """Pages below the site's root page or one of its translations."""
    roots = site.root_page.get_translations(inclusive=True)
    return reduce(or_, (Page.objects.descendant_of_q(root, inclusive=True) for root in roots))


def _images_by_page(page_ids: list[int]) -> dict[int, list[object]]:
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
    used: dict[int, list[object]] = {}
    for page_id, image_id in rows:
        used.setdefault(int(page_id), []).append(image_model._meta.pk.to_python(image_id))
    return used


def _locations(image_ids: set[object]) -> dict[object, str]:
    """Address by image id, of those that may be shown."""
    preset = get_preset(PRESET)
    found = {}
    for pk, delivery in load_deliveries(image_ids).items():
        document = shown_document(delivery)
        if document is not None:
            widest = preset.transforms(document["width"], document["height"])[-1]
            found[pk] = edge_url(document, widest, "jpg")
    return found
