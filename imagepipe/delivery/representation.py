"""A picture as JSON, for front ends that draw their pages themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.delivery.alternatives import alt_is_generated
from imagepipe.delivery.markup import FALLBACK, SOURCES, Presentation, picture_html, sources_of
from imagepipe.delivery.shown import ShownPicture
from imagepipe.urlspec import MIME_TYPES


def represent(
    shown: ShownPicture | None, presentation: Presentation
) -> dict[str, Any] | None:
    """Addresses, size, texts, disclosure and terms; None where nothing may be shown.

    ``html`` is what the picture tag would write.
    """
    if shown is None or shown.document is None:
        return None
    document = shown.document
    presentation = replace(
        presentation,
        alt=shown.alt,
        crop=shown.use.crop,
        recipe=document.get("recipe", ""),
    )
    found = sources_of(document, presentation)
    return {
        "asset": document["asset"],
        "version": document["version"],
        "recipe": presentation.recipe,
        "alt": shown.alt,
        "alt_generated": alt_is_generated(document, shown.alt),
        "src": found.src,
        "srcset": found.srcsets[FALLBACK],
        "sizes": found.sizes,
        "width": found.width,
        "height": found.height,
        "sources": [
            {"type": MIME_TYPES[extension], "srcset": found.srcsets[extension]}
            for extension in SOURCES
        ],
        "placeholder": document.get("placeholder"),
        "disclosure": _("AI-generated") if document["disclosure"] else "",
        "terms": document.get("rights") or {},
        "html": picture_html(document, presentation),
    }
