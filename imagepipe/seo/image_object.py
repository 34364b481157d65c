"""Pictures as structured data.

https://schema.org/ImageObject,
https://developers.google.com/search/docs/appearance/structured-data/image-license-metadata
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from imagepipe.conf import get_settings
from imagepipe.delivery.shown import ShownPicture
from imagepipe.delivery.sources import widest_address
from imagepipe.provenance.keys import load_keyring
from imagepipe.seo.public_pages import PublicPages
from imagepipe.urlspec import Keyring

PRESET = "content"
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_HARMLESS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def image_object(
    picture: ShownPicture, pages: PublicPages, keyring: Keyring
) -> dict[str, Any]:
    """What search engines want to know: address, licence, credit, how it came about.

    Licences without an address of their own point to the site's page about them.
    """
    document: Mapping[str, Any] = picture.document or {}
    terms = document.get("rights") or {}
    page = pages.licence(document["asset"]) if terms else ""
    creator, holder = get_settings().CREATOR, terms.get("holder", "")
    facts = {
        "@type": "ImageObject",
        "contentUrl": widest_address(document, PRESET, keyring),
        "name": document["title"],
        "description": picture.alt,
        "license": terms.get("licence_url") or page or terms.get("licence"),
        "acquireLicensePage": terms.get("acquire_url") or page,
        "creditText": terms.get("credit") or holder,
        "copyrightNotice": f"© {holder}" if holder else "",
        "creator": {"@type": "Organization", "name": creator} if creator else None,
        "digitalSourceType": source_type(document.get("source_type", "")),
        "identifier": [
            {"@type": "PropertyValue", "propertyID": name, "value": document[name]}
            for name in ("asset", "version", "recipe")
            if document.get(name)
        ],
    }
    return {name: fact for name, fact in facts.items() if fact}


def source_type(iptc: str) -> str:
    """The schema.org name of an IPTC digital source type; empty if it is none."""
    name = iptc.removeprefix(IPTC)
    if not name or name == iptc or not name.isalpha():
        return ""
    return f"https://schema.org/{name[0].upper()}{name[1:]}DigitalSource"


def structured_data(pictures: Iterable[ShownPicture], request: Any = None) -> SafeString:
    """A ``<script>`` with the pictures; nothing if there are none."""
    pages, keyring = PublicPages.of(request), load_keyring()
    graph = [image_object(picture, pages, keyring) for picture in pictures]
    if not graph:
        return mark_safe("")
    text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False)
    for character, harmless in _HARMLESS.items():
        text = text.replace(character, harmless)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308
