"""A picture as JSON, for front ends that draw their pages themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.delivery.alternatives import alt_is_generated
from imagepipe.delivery.markup import picture_html
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.shown import ShownPicture
from imagepipe.delivery.sources import (
    PictureSources,
    formats_of,
    negotiated_sources,
    sources_of,
)
from imagepipe.delivery.variants import ArtDirection
from imagepipe.urlspec import MIME_TYPES


def represent(
    shown: ShownPicture | None,
    presentation: Presentation,
    direction: ArtDirection | None = None,
) -> dict[str, Any] | None:
    """Addresses, size, texts, disclosure and terms; None where nothing may be shown.

    ``img`` has the attributes of one ``<img>`` that works alone, by their names in HTML; the
    edge chooses its format. ``html`` is what the picture tag would write. Variants that
    imagepipe does not manage are left out of ``variants``.
    """
    if shown is None or shown.document is None:
        return None
    document = shown.document
    presentation = replace(
        presentation,
        alt=shown.alt,
        crop=shown.use.crop,
        crops=shown.use.crops,
        recipe=document.get("recipe", ""),
    )
    found = sources_of(document, presentation)
    negotiated = negotiated_sources(document, presentation)
    *better, fallback = formats_of(document)
    variants = tuple(direction.variants(shown, presentation)) if direction else ()
    pictures = [document, *(one.document for one in variants if one.document is not None)]
    image = {
        "src": found.src,
        "srcset": found.srcsets[fallback],
        "sizes": found.sizes,
        "width": found.width,
        "height": found.height,
        "alt": shown.alt,
    }
    is_disclosed = any(picture["disclosure"] for picture in pictures)
    return {
        "asset": document["asset"],
        "version": document["version"],
        "recipe": presentation.recipe,
        **image,
        "img": {
            **image,
            "src": negotiated.src,
            "srcset": negotiated.srcsets["auto"],
            **presentation.image_attributes(),
        },
        "alt_generated": alt_is_generated(document, shown.alt),
        "sources": [
            {"type": MIME_TYPES[extension], "srcset": found.srcsets[extension]}
            for extension in better
        ],
        "variants": [
            _variant(one.media, sources_of(one.document, one.presentation))
            for one in variants
            if one.document is not None
        ],
        "crop": presentation.shown_crop(document),
        "placeholder": document.get("placeholder"),
        "disclosure": _("AI-generated") if is_disclosed else "",
        "terms": document.get("rights") or {},
        "html": picture_html(document, presentation, variants),
    }


def _variant(media: str, sources: PictureSources) -> dict[str, Any]:
    """The ``<source>`` elements of one variant: in all formats, the fallback's too."""
    return {
        "media": media,
        "sizes": sources.sizes,
        "width": sources.width,
        "height": sources.height,
        "sources": [
            {"type": MIME_TYPES[extension], "srcset": srcset}
            for extension, srcset in sources.srcsets.items()
        ],
    }
