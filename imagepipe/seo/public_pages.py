"""Addresses of what the site says about a picture in public: its information, its licence.

Empty where the site has not included ``imagepipe.urls``.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from imagepipe.delivery.shown import ShownPicture


def information_url(asset: str, request: Any = None) -> str:
    """The JSON document of a picture; absolute with a request. ``asset`` is its hex uid."""
    return _address("imagepipe:picture_information", asset, request)


def licence_url(asset: str, request: Any = None) -> str:
    """The page with the terms of a picture."""
    return _address("imagepipe:picture_licence", asset, request)


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


def _address(name: str, asset: str, request: Any) -> str:
    around = (settings.ROOT_URLCONF, get_urlconf(), get_script_prefix(), get_language())
    path = _path(name, asset, around)
    if request is None or not path:
        return path
    return f"{request.scheme}://{request.get_host()}{path}"


@lru_cache(maxsize=5000)
def _path(name: str, asset: str, around: tuple[Any, ...]) -> str:
    """``around`` is what else the address depends on."""
    try:
        return reverse(name, args=[uuid.UUID(asset)])
    except NoReverseMatch:
        return ""
