"""The addresses of the image sitemap: one file, or an index of several."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from wagtail.models import Site

from imagepipe.conf import get_settings
from imagepipe.seo.entries import entries_of
from imagepipe.seo.sections import MOST_PAGES, Section, sections_of
from imagepipe.seo.sitemap_xml import write_entries, write_index

MAX_AGE = 60
"""Seconds. What has expired or was withdrawn has left every copy after that."""


@require_safe
@cache_control(public=True, max_age=MAX_AGE)
def image_sitemap(request: HttpRequest) -> HttpResponseBase:
    """``sitemap-images.xml`` of the site that the request is for: all of it, or its index."""
    site = _site(request)
    sections = sections_of(site)
    if len(sections) == 1:
        return _respond(request, _write(request, site, sections[0]))
    addresses = (
        request.build_absolute_uri(reverse("imagepipe:image_sitemap_section", args=[number]))
        for number in range(1, len(sections) + 1)
    )
    return _respond(request, write_index(addresses))


@require_safe
@cache_control(public=True, max_age=MAX_AGE)
def image_sitemap_section(request: HttpRequest, number: int) -> HttpResponseBase:
    """``sitemap-images-<number>.xml``, counted from 1."""
    site = _site(request)
    sections = sections_of(site)
    if not 1 <= number <= len(sections):
        raise Http404(f"The image sitemap has {len(sections)} files.")
    return _respond(request, _write(request, site, sections[number - 1]))


def _site(request: HttpRequest) -> Site:
    site = Site.find_for_request(request)
    if site is None:
        raise Http404("No site has this host name.")
    return site


def _write(request: HttpRequest, site: Site, section: Section) -> Iterator[bytes]:
    entries = entries_of(site, request, first=section.first, end=section.end)
    details = get_settings().SITEMAP_DETAILS
    return write_entries(islice(entries, MOST_PAGES), details=details)


def _respond(request: HttpRequest, pieces: Iterator[bytes]) -> HttpResponseBase:
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = StreamingHttpResponse(
        _gzip(pieces) if zipped else pieces, content_type="application/xml; charset=utf-8"
    )
    patch_vary_headers(response, ["Accept-Encoding"])
    if zipped:
        response["Content-Encoding"] = "gzip"
    return response


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for piece in pieces:
        if packed := compressor.compress(piece):
            yield packed
    yield compressor.flush()
