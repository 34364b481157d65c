"""Wagtail's own sitemap with the pictures of each page in it, for sites that keep to one.

Use it with the template ``imagepipe/sitemap.xml``. It is built in memory, as Django's sitemaps
are; for very many pictures there is :mod:`imagepipe.seo.sitemaps`.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from wagtail.contrib.sitemaps import Sitemap

from imagepipe.conf import get_settings
from imagepipe.seo.entries import CHUNK, ListedImage, images_of_pages, latest
from imagepipe.seo.sitemap_xml import sendable


class PictureSitemap(Sitemap):
    """Pages as ``Sitemap`` of Wagtail lists them; the first address of each has ``images``."""

    def _urls(self, page: Any, protocol: str, domain: str) -> list[dict[str, Any]]:
        urls: list[dict[str, Any]] = []
        rows = self.paginator.page(page).object_list.iterator()
        while pages := list(islice(rows, CHUNK)):
            images = images_of_pages(pages)
            for item in pages:
                first, *others = item.get_sitemap_urls(self.request) or [None]
                if first is not None:
                    urls.append(_with_images(first, images[item.pk]))
                urls.extend(others)
        moments: set[Any] = {url.get("lastmod") for url in urls}
        if moments and None not in moments:
            self.latest_lastmod = max(moments)
        return urls


def _with_images(url: dict[str, Any], images: tuple[ListedImage, ...]) -> dict[str, Any]:
    return {**url, "lastmod": latest(url.get("lastmod"), images), "images": map(_row, images)}


def _row(image: ListedImage) -> dict[str, str]:
    row = {"location": image.location}
    if get_settings().SITEMAP_DETAILS:
        row |= {
            "caption": sendable(image.caption),
            "title": sendable(image.title),
            "licence": image.licence,
        }
    return row
