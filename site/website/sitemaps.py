from __future__ import annotations

from typing import Any

from wagtail.contrib.sitemaps import Sitemap
from wagtail.models import Page

from imagepipe.seo.entries import in_any_language


class SiteSitemap(Sitemap):
    """The pages of all languages; Wagtail's own lists those of the first."""

    def items(self) -> Any:
        pages = Page.objects.filter(in_any_language(self.get_wagtail_site()))
        return pages.live().public().order_by("path").specific(defer=True)
