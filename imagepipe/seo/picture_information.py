"""What a picture is, as JSON for programs of others, in the words of oEmbed.

https://oembed.com/#section2.3, type "photo", with sizes, texts, terms and disclosure besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.delivery.addresses import Extension, edge_url
from imagepipe.delivery.alternatives import choose_alt
from imagepipe.delivery.documents import scene_of
from imagepipe.delivery.markup import picture_html
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.sources import formats_of, transforms_of
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import MIME_TYPES, Preset, Transform, plan

Document = Mapping[str, Any]


def picture_information(
    document: Document, preset: Preset, *, licence_page: str, cache_age: int, most: Any = None
) -> dict[str, Any]:
    """Of a published picture (`Publication.document`).

    ``most`` is the largest width and height in pixels that ``url`` may have; None for either
    is no limit. ``cache_age`` is in seconds.
    """
    rows = _rows(document, preset)
    largest = _within(rows, most or (None, None))
    language = get_language() or settings.LANGUAGE_CODE
    alt = choose_alt(document["alt"], language) or document["title"]
    presentation = Presentation(
        preset,
        "" if document["decorative"] else alt,
        recipe=document.get("recipe", ""),
    )
    terms = document.get("rights") or {}
    facts = {
        "version": "1.0",
        "type": "photo",
        "title": document["title"],
        "url": largest["url"],
        "width": largest["width"],
        "height": largest["height"],
        "thumbnail_url": rows[0]["url"],
        "thumbnail_width": rows[0]["width"],
        "thumbnail_height": rows[0]["height"],
        "author_name": get_settings().CREATOR or terms.get("holder", ""),
        "provider_name": getattr(settings, "WAGTAIL_SITE_NAME", ""),
        "cache_age": cache_age,
    }
    return {
        **{name: fact for name, fact in facts.items() if fact},
        "asset": document["asset"],
        "picture_version": document["version"],
        "recipe": document.get("recipe", ""),
        "alt": dict(document["alt"]),
        "decorative": bool(document["decorative"]),
        "disclosure": _("AI-generated") if document["disclosure"] else "",
        "source_type": document.get("source_type", ""),
        "terms": {**terms, **({"page": licence_page} if licence_page else {})},
        "valid_until": document["valid_until"],
        "focal": document.get("focal"),
        "placeholder": document.get("placeholder"),
        "sizes": rows,
        "html": picture_html(document, presentation),
    }


def _rows(document: Document, preset: Preset) -> list[dict[str, Any]]:
    """Every size of the preset in every format, narrowest first."""
    source, scene = (document["width"], document["height"]), scene_of(document)
    keyring = load_keyring()

    def address(transform: Transform, extension: Extension) -> str:
        return edge_url(document, transform, extension, keyring=keyring)

    found, formats = [], formats_of(document)
    for transform in transforms_of(document, preset):
        size = plan(*source, transform, scene)
        found.append(
            {
                "width": size.width,
                "height": size.height,
                "url": address(transform, formats[-1]),
                "formats": {
                    MIME_TYPES[extension]: address(transform, extension)
                    for extension in formats
                },
            }
        )
    return found


def _within(rows: list[dict[str, Any]], most: tuple[int | None, int | None]) -> dict[str, Any]:
    """The largest that is no larger than asked for; the smallest there is where none is."""
    fits = [
        row
        for row in rows
        if (most[0] is None or row["width"] <= most[0])
        and (most[1] is None or row["height"] <= most[1])
    ]
    return (fits or rows[:1])[-1]
