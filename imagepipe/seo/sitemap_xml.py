"""Writes image sitemaps and their index, piece by piece.

https://www.sitemaps.org/protocol.html,
https://developers.google.com/search/docs/crawling-indexing/sitemaps/image-sitemaps
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from lxml import etree

from imagepipe.seo.entries import SitemapEntry

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
IMAGE = "http://www.google.com/schemas/sitemap-image/1.1"
URL: Final = f"{{{SITEMAP}}}url"
LOC: Final = f"{{{SITEMAP}}}loc"
LASTMOD: Final = f"{{{SITEMAP}}}lastmod"
IMAGE_IMAGE: Final = f"{{{IMAGE}}}image"
IMAGE_LOC: Final = f"{{{IMAGE}}}loc"
IMAGE_CAPTION: Final = f"{{{IMAGE}}}caption"
IMAGE_TITLE: Final = f"{{{IMAGE}}}title"
IMAGE_LICENCE: Final = f"{{{IMAGE}}}license"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Signs that XML 1.0 does not know."""
PIECE = 64 * 1024
"""Bytes that are collected before they are handed on."""


def write_entries(entries: Iterable[SitemapEntry], *, details: bool = False) -> Iterator[bytes]:
    """An ``<urlset>``. ``details`` adds title, caption and licence of each picture.

    Google has read none of the three since August 2022; other engines may.
    """

    def write(file: Any, entry: SitemapEntry) -> None:
        _url(file, entry, details)

    return _document("urlset", {None: SITEMAP, "image": IMAGE}, entries, write)


def write_index(locations: Iterable[str]) -> Iterator[bytes]:
    """A ``<sitemapindex>``."""
    return _document("sitemapindex", {None: SITEMAP}, locations, _sitemap)


def _document(
    root: str,
    namespaces: dict[str | None, str],
    items: Iterable[Any],
    write: Callable[[Any, Any], None],
) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with etree.xmlfile(buffer, encoding="utf-8") as file:
        file.write_declaration()
        with file.element(f"{{{SITEMAP}}}{root}", nsmap=namespaces):
            for item in items:
                write(file, item)
                if buffer.tell() >= PIECE:
                    file.flush()
                    yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.BytesIO) -> bytes:
    piece = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return piece


def _url(file: Any, entry: SitemapEntry, details: bool) -> None:
    with file.element(URL):
        _text(file, LOC, entry.location)
        if entry.changed is not None:
            moment = entry.changed.astimezone(dt.UTC).replace(microsecond=0)
            _text(file, LASTMOD, moment.isoformat())
        for image in entry.images:
            with file.element(IMAGE_IMAGE):
                _text(file, IMAGE_LOC, image.location)
                if details:
                    _text(file, IMAGE_CAPTION, image.caption)
                    _text(file, IMAGE_TITLE, image.title)
                    _text(file, IMAGE_LICENCE, image.licence)


def _sitemap(file: Any, location: str) -> None:
    with file.element(f"{{{SITEMAP}}}sitemap"):
        _text(file, LOC, location)


def _text(file: Any, name: str, text: str) -> None:
    if text:
        with file.element(name):
            file.write(sendable(text))


def sendable(text: str) -> str:
    """Without the signs that XML cannot carry."""
    return _FORBIDDEN.sub("", text)
