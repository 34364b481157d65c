"""Reads the sitemaps as a crawler would, beginning with ``robots.txt``."""

from __future__ import annotations

from lxml import etree

from website.demo.browser import Unexpected
from website.demo.evidence import Evidence

NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "i": "http://www.google.com/schemas/sitemap-image/1.1",
}


def require_in_sitemaps(evidence: Evidence, page: str, asset: str) -> str:
    """The page is in the page sitemap, and in the image sitemap with its picture."""
    robots = evidence.fetch("/robots.txt", "text/plain").content.decode()
    named = [line.split(": ", 1)[1] for line in robots.splitlines() if "Sitemap: " in line]
    images: list[str] = []
    found = 0
    for address in named:
        tree = etree.fromstring(evidence.fetch(address, "application/xml").content)
        entries = tree.xpath(f"s:url[s:loc = '{page}']", namespaces=NAMES)
        found += len(entries)
        for entry in entries:
            images += entry.xpath("i:image/i:loc/text()", namespaces=NAMES)
    if found != len(named) or not named:
        raise Unexpected(f"{page} is in {found} of the sitemaps {named}")
    mine = [url for url in images if asset.replace("-", "") in url]
    if not mine:
        raise Unexpected(f"the image sitemap does not list the picture of {page}")
    evidence.fetch(mine[0], "image/jpeg")
    return f"{len(named)} sitemaps"
