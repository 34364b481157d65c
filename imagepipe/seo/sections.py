"""Cuts an image sitemap into files that keep the limits of the protocol.

https://www.sitemaps.org/protocol.html: at most 50,000 pages and 50 MB a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import cache
from wagtail.models import Site

from imagepipe.seo.entries import MOST_IMAGES, images_by_page, page_ids, pages_of

MOST_PAGES = 50_000
MOST_IMAGES_A_FILE = 50_000
"""At most 1,000 bytes an image, with all optional elements, keep a file below 50 MB."""
REMEMBERED = 600
"""Seconds. A page that is new meanwhile falls into the last file, which has no end."""


@dataclass(frozen=True)
class Section:
    """Pages by primary key, from ``first`` up to but without ``end``."""

    first: int
    end: int | None


def sections_of(site: Site) -> list[Section]:
    """The files of a site's image sitemap, at least one; remembered for ten minutes."""
    key = f"imagepipe:image-sitemap:{site.pk}"
    firsts = cache.get(key)
    if firsts is None:
        firsts = list(_firsts(site))
        cache.set(key, firsts, REMEMBERED)
    return [
        Section(first, end) for first, end in zip(firsts, [*firsts[1:], None], strict=True)
    ]


def _firsts(site: Site) -> Iterator[int]:
    """Where each file begins."""
    yield 0
    pages = images = 0
    for ids in page_ids(pages_of(site), chunk=2000):
        used = images_by_page(ids)
        for pk in sorted(used):
            count = min(len(used[pk]), MOST_IMAGES)
            if pages + 1 > MOST_PAGES or images + count > MOST_IMAGES_A_FILE:
                yield pk
                pages = images = 0
            pages += 1
            images += count
