"""Addresses of what the site says about a picture in public: its information, its licence.

Empty where the site has not included ``imagepipe.urls``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from imagepipe.delivery.shown import ShownPicture


@dataclass(frozen=True)
class PublicPages:
    """The addresses of many pictures, as one request or language has them."""

    origin: str
    around: tuple[Any, ...]
    """What else an address depends on."""

    @classmethod
    def of(cls, request: Any = None) -> PublicPages:
        """Absolute with a request."""
        origin = "" if request is None else f"{request.scheme}://{request.get_host()}"
        around = settings.ROOT_URLCONF, get_urlconf(), get_script_prefix(), get_language()
        return cls(origin, around)

    def information(self, asset: str) -> str:
        """The JSON document of a picture. ``asset`` is its hex uid."""
        return self._address("imagepipe:picture_information", asset)

    def licence(self, asset: str) -> str:
        """The page with the terms of a picture."""
        return self._address("imagepipe:picture_licence", asset)

    def _address(self, name: str, asset: str) -> str:
        path = _path(name, asset, self.around)
        return self.origin + path if path else ""


def information_url(asset: str, request: Any = None) -> str:
    return PublicPages.of(request).information(asset)


def licence_url(asset: str, request: Any = None) -> str:
    return PublicPages.of(request).licence(asset)


def discovery_link(picture: ShownPicture, request: Any = None) -> SafeString:
    """A ``<link>`` by which programs find the information; nothing where there is none.

    https://oembed.com/#section4
    """
    document = picture.document
    address = information_url(document["asset"], request) if document else ""
    if not document or not address:
        return mark_safe("")
    return format_html(
        '<link rel="alternate" type="application/json+oembed" href="{}" title="{}">',
        address,
        document["title"],
    )


@lru_cache(maxsize=5000)
def _path(name: str, asset: str, around: tuple[Any, ...]) -> str:
    try:
        return reverse(name, args=[uuid.UUID(asset)])
    except NoReverseMatch:
        return ""
