"""The HTML of one picture: sources, sizes, alternative text, disclosure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import NoReverseMatch
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from wagtail.images.views.serve import generate_image_url

from imagepipe.conf import get_settings
from imagepipe.delivery.addresses import Extension, edge_urls
from imagepipe.delivery.colours import colour_words
from imagepipe.delivery.documents import scene_of
from imagepipe.delivery.presentation import Presentation, Variant
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import (
    MIME_TYPES,
    Plan,
    Preset,
    Transform,
    plan,
)

STILL: tuple[Extension, ...] = ("avif", "webp", "jpg")
MOVING: tuple[Extension, ...] = ("webp", "gif")


@dataclass(frozen=True)
class PictureSources:
    """The addresses of one picture in one place, and the pixels of the largest."""

    srcsets: Mapping[Extension, str]
    src: str
    sizes: str
    width: int
    height: int


def formats_of(document: Mapping[str, Any]) -> tuple[Extension, ...]:
    """The formats of a published picture, best first; the last one is for every browser."""
    return MOVING if document.get("moves") else STILL


def transforms_of(document: Mapping[str, Any], preset: Preset) -> tuple[Transform, ...]:
    """The preset's for a published picture, as a use shows it that says nothing itself."""
    source = document["width"], document["height"]
    return Presentation(preset, "").transforms(*source, scene_of(document))


def sources_of(document: Mapping[str, Any], presentation: Presentation) -> PictureSources:
    """Signed addresses in all formats, best first; ``src`` is the largest fallback."""
    steps = _steps(document, presentation)
    formats = formats_of(document)
    srcsets = _srcsets(document, steps, formats)
    size = steps[-1][1]
    return PictureSources(
        {extension: ", ".join(srcset) for extension, srcset in srcsets.items()},
        srcsets[formats[-1]][-1].partition(" ")[0],
        presentation.all_sizes(),
        size.width,
        size.height,
    )


def picture_html(
    document: Mapping[str, Any],
    presentation: Presentation,
    variants: Sequence[Variant] = (),
) -> SafeString:
    """A `<picture>` from the edge; in a `<figure>` that discloses where AI has made it.

    The first variant whose media query holds is shown instead.
    """
    found = sources_of(document, presentation)
    *better, fallback = formats_of(document)
    sources = format_html_join(
        "",
        '<source type="{}" srcset="{}" sizes="{}">',
        (
            (MIME_TYPES[extension], found.srcsets[extension], found.sizes)
            for extension in better
        ),
    )
    attributes = {
        "src": found.src,
        "srcset": found.srcsets[fallback],
        "sizes": found.sizes,
        "width": str(found.width),
        "height": str(found.height),
        **presentation.image_attributes(),
        **_identifiers(document),
        **_colour(document, presentation, variants),
    }
    image = format_html("{}<img{}>", sources, _attributes(attributes))
    return _with_variants(image, presentation, variants, bool(document["disclosure"]))


def _with_variants(
    image: SafeString,
    presentation: Presentation,
    variants: Sequence[Variant],
    is_disclosed: bool,
) -> SafeString:
    sources = format_html_join("", "{}", ((_variant_sources(one),) for one in variants))
    picture = format_html("<picture>{}{}</picture>", sources, image)
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


def _colour(
    document: Mapping[str, Any], presentation: Presentation, variants: Sequence[Variant]
) -> dict[str, str]:
    """Nothing where the page waits for the picture anyway, or where another may come."""
    others = [variant.document != document for variant in variants]
    if presentation.priority or not presentation.placeholder or any(others):
        return {}
    words = colour_words((document.get("placeholder") or {}).get("colour", ""))
    return {"data-imagepipe-colour": words} if words else {}


def preload_html(
    document: Mapping[str, Any], presentation: Presentation, media: str = ""
) -> SafeString:
    """A `<link>` that has browsers with AVIF fetch the picture before they come to it.

    With WebP, if the picture moves.

    With ``media``, a media query list, only where that holds.
    """
    steps, best = _steps(document, presentation), formats_of(document)[0]
    attributes = {
        "rel": "preload",
        "as": "image",
        "type": MIME_TYPES[best],
        "imagesrcset": ", ".join(_srcsets(document, steps, (best,))[best]),
        "imagesizes": replace(presentation, priority=True).all_sizes(),
        "fetchpriority": "high",
        **({"media": media} if media else {}),
    }
    return format_html("<link{}>", _attributes(attributes))


def _steps(
    document: Mapping[str, Any], presentation: Presentation
) -> list[tuple[Transform, Plan]]:
    source = document["width"], document["height"]
    scene = scene_of(document)
    transforms = presentation.transforms(*source, scene)
    return [(transform, plan(*source, transform, scene)) for transform in transforms]


def _srcsets(
    document: Mapping[str, Any],
    steps: Sequence[tuple[Transform, Plan]],
    formats: Sequence[Extension],
) -> dict[Extension, list[str]]:
    """The candidates of each format, narrowest first."""
    keyring = load_keyring()
    rows = [edge_urls(document, transform, formats, keyring=keyring) for transform, _ in steps]
    return {
        extension: [
            f"{url} {size.width}w" for url, (_, size) in zip(urls, steps, strict=True)
        ]
        for extension, urls in zip(formats, zip(*rows, strict=True), strict=True)
    }


def disclosed(picture: SafeString, presentation: Presentation) -> SafeString:
    """The picture with the visible sign that AI has made it."""
    return format_html(
        '<figure class="{}">{}'
        '<figcaption class="imagepipe-disclosure">{}</figcaption></figure>',
        f"imagepipe-figure {presentation.figure_class}".strip(),
        picture,
        _("AI-generated"),
    )


def unmanaged_html(
    image: Any, presentation: Presentation, variants: Sequence[Variant] = ()
) -> SafeString:
    """An image not (yet) managed by imagepipe: through Wagtail's own doors, no pixel work.

    With Wagtail's serve view in the site's URLs, its renditions are made when a browser asks;
    else the file itself is shown.
    """
    attributes = _unmanaged_attributes(image, presentation)
    html = format_html(
        "<img{}>", _attributes({**attributes, **presentation.image_attributes()})
    )
    return _with_variants(html, presentation, variants, False) if variants else html


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
    pairs = (f' {name}="{conditional_escape(value)}"' for name, value in values.items())
    return mark_safe("".join(pairs))  # noqa: S308 - escaped one by one


def _filter(transform: Transform) -> str:
    """The nearest Wagtail filter."""
    if transform.height is None:
        return f"width-{transform.width}"
    verb = "fill" if transform.fit in ("fill", "crop") else "max"
    return f"{verb}-{transform.width}x{transform.height}"


NOTHING = mark_safe("")
