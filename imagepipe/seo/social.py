"""The picture that others show when they link to a page.

https://ogp.me/#structured, https://developer.x.com/en/docs/x-for-websites/cards
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from imagepipe.delivery.addresses import edge_url
from imagepipe.delivery.documents import scene_of
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.shown import ShownPicture
from imagepipe.urlspec import Preset, plan


def social_card(picture: ShownPicture, preset: Preset) -> SafeString:
    """The ``<meta>`` elements of Open Graph and of cards; a JPEG of the widest step.

    Nothing where the picture may not be shown.
    """
    document: Mapping[str, Any] | None = picture.document
    if document is None:
        return mark_safe("")
    source = document["width"], document["height"]
    use, scene = picture.use, scene_of(document)
    presentation = Presentation(preset, picture.alt, crop=use.crop, crops=use.crops)
    transform = presentation.transforms(*source, scene)[-1]
    size = plan(*source, transform, scene)
    facts = (
        ("property", "og:image", edge_url(document, transform, "jpg")),
        ("property", "og:image:type", "image/jpeg"),
        ("property", "og:image:width", str(size.width)),
        ("property", "og:image:height", str(size.height)),
        ("property", "og:image:alt", picture.alt),
        ("name", "twitter:card", "summary_large_image"),
    )
    return format_html_join(
        "\n", '<meta {}="{}" content="{}">', (fact for fact in facts if fact[2])
    )
