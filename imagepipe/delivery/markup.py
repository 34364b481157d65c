"""The HTML of one picture: sources, sizes, alternative text, disclosure."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.urls import NoReverseMatch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from wagtail.images.views.serve import generate_image_url

from imagepipe.conf import get_settings
from imagepipe.delivery.colours import colour_words
from imagepipe.delivery.presentation import Presentation, Variant
from imagepipe.delivery.sources import formats_of, sources_of
from imagepipe.urlspec import MIME_TYPES, Transform, plan


def picture_html(
    document: Mapping[str, Any],
    presentation: Presentation,
    variants: Sequence[Variant] = (),
) -> SafeString:
    """A `<picture>` from the edge; in a `<figure>` that discloses where AI has made it.

    The first variant whose media query holds is shown instead.
    """
    found = sources_of(document, presentation)
    own = _attributes(
        {
            **presentation.image_attributes(),
            **_identifiers(document),
            **_placeholder(document, presentation, variants),
        }
    )
    image = f"{found.sources_html}<img{found.image_html}{own}>"
    return _with_variants(image, presentation, variants, bool(document["disclosure"]))


def _with_variants(
    image: str,
    presentation: Presentation,
    variants: Sequence[Variant],
    is_disclosed: bool,
) -> SafeString:
    sources = "".join(map(_variant_sources, variants))
    picture = mark_safe(f"<picture>{sources}{image}</picture>")  # noqa: S308 - of such parts
    shown = [variant.document for variant in variants if variant.document is not None]
    is_disclosed = is_disclosed or any(document["disclosure"] for document in shown)
    return disclosed(picture, presentation) if is_disclosed else picture


def _variant_sources(variant: Variant) -> SafeString:
    """In all formats, JPEG too: the `<img>` is another picture."""
    if variant.document is None:
        found = _unmanaged_attributes(variant.image, variant.presentation)
        source = found.pop("src")
        return format_html(
            "<source{}>", _attributes({"media": variant.media, "srcset": source, **found})
        )
    sources = sources_of(variant.document, variant.presentation)
    return format_html_join(
        "",
        "<source{}>",
        (
            (
                _attributes(
                    {
                        "media": variant.media,
                        "type": MIME_TYPES[extension],
                        "srcset": srcset,
                        "sizes": sources.sizes,
                        "width": str(sources.width),
                        "height": str(sources.height),
                    }
                ),
            )
            for extension, srcset in sources.srcsets.items()
        ),
    )


def _identifiers(document: Mapping[str, Any]) -> dict[str, str]:
    """For those who count views: stable through all sizes, crops and formats."""
    if not get_settings().PICTURE_IDENTIFIERS:
        return {}
    return {"data-asset": document["asset"], "data-version": document["version"]}


def _placeholder(
    document: Mapping[str, Any], presentation: Presentation, variants: Sequence[Variant]
) -> dict[str, str]:
    """Nothing where the page waits for the picture anyway, or where another may come."""
    others = [variant.document != document for variant in variants]
    if presentation.priority or not presentation.placeholder or any(others):
        return {}
    found = document.get("placeholder") or {}
    words = colour_words(found.get("colour", ""))
    attributes = {"data-imagepipe-colour": words} if words else {}
    if words and get_settings().PICTURE_THUMBHASH:
        attributes["data-imagepipe-thumbhash"] = found["thumbhash"]
    return attributes


def preload_html(
    document: Mapping[str, Any], presentation: Presentation, media: str = ""
) -> SafeString:
    """A `<link>` that has browsers with AVIF fetch the picture before they come to it.

    With WebP, if the picture moves.

    With ``media``, a media query list, only where that holds.
    """
    found, best = sources_of(document, presentation), formats_of(document)[0]
    attributes = {
        "rel": "preload",
        "as": "image",
        "type": MIME_TYPES[best],
        "imagesrcset": found.srcsets[best],
        "imagesizes": replace(presentation, priority=True).all_sizes(),
        "fetchpriority": "high",
        **({"media": media} if media else {}),
    }
    return format_html("<link{}>", _attributes(attributes))


def disclosed(picture: SafeString, presentation: Presentation) -> SafeString:
    """The picture with the visible sign that AI has made it."""
    css_class = html.escape(f"imagepipe-figure {presentation.figure_class}".strip())
    return mark_safe(  # noqa: S308 - a finished picture, a class that is escaped
        f'<figure class="{css_class}">{picture}<figcaption class="imagepipe-disclosure">'
        f"{html.escape(_('AI-generated'))}</figcaption></figure>"
    )


def unmanaged_html(
    image: Any, presentation: Presentation, variants: Sequence[Variant] = ()
) -> SafeString:
    """An image not (yet) managed by imagepipe: through Wagtail's own doors, no pixel work.

    With Wagtail's serve view in the site's URLs, its renditions are made when a browser asks;
    else the file itself is shown.
    """
    attributes = _unmanaged_attributes(image, presentation)
    image = format_html(
        "<img{}>", _attributes({**attributes, **presentation.image_attributes()})
    )
    return _with_variants(image, presentation, variants, False) if variants else image


def _unmanaged_attributes(image: Any, presentation: Presentation) -> dict[str, str]:
    transforms = presentation.preset.transforms(image.width, image.height)
    try:
        urls = [(generate_image_url(image, _filter(item)), item.width) for item in transforms]
    except NoReverseMatch:
        return {
            "src": image.file.url,
            "width": str(image.width),
            "height": str(image.height),
        }
    size = plan(image.width, image.height, transforms[-1])
    return {
        "src": urls[-1][0],
        "srcset": ", ".join(f"{url} {width}w" for url, width in urls),
        "sizes": presentation.all_sizes(),
        "width": str(size.width),
        "height": str(size.height),
    }


def _attributes(values: Mapping[str, str]) -> SafeString:
    """In the given order. The names are ours, the values anybody's."""
    pairs = [f' {name}="{_escaped(value)}"' for name, value in values.items()]
    return mark_safe("".join(pairs))  # noqa: S308 - escaped one by one


def _escaped(value: str) -> str:
    """As Django's ``conditional_escape``, which costs five times as much."""
    text = str(value)
    return text if isinstance(text, SafeString) else html.escape(text)


def _filter(transform: Transform) -> str:
    """The nearest Wagtail filter."""
    if transform.height is None:
        return f"width-{transform.width}"
    verb = "fill" if transform.fit in ("fill", "crop") else "max"
    return f"{verb}-{transform.width}x{transform.height}"


NOTHING = mark_safe("")
