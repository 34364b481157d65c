"""The picture tag; it computes no pixels and writes nothing to the database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.conf import settings
from django.db import models
from django.template import Context
from django.template.base import Node, Parser, Token
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.images.models import AbstractImage

from imagepipe.delivery.alternatives import choose_alt
from imagepipe.delivery.markup import NOTHING, Presentation, picture_html, unmanaged_html
from imagepipe.delivery.pictures import delivery_of, load_deliveries, shown_document
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.unloaded import ImageExpression, UnloadedImage
from imagepipe.delivery.uses import ImageUse, use_of

register = template.Library()
logger = logging.getLogger("imagepipe.delivery")

DEFAULT_PRESET = "content"


@register.simple_tag(takes_context=True)
def picture(
    context: Context,
    image: Any,
    preset: str = DEFAULT_PRESET,
    alt: str | None = None,
    priority: bool = False,
    sizes: str | None = None,
    decorative: bool = False,
    **attributes: Any,
) -> SafeString:
    """Show a Wagtail image, or the value of an image block, from the edge.

    ``class`` goes to the `<img>`, ``figure_class`` to the `<figure>` around a disclosed one.
    """
    css_class, figure_class = attributes.pop("class", ""), attributes.pop("figure_class", "")
    if attributes:
        raise template.TemplateSyntaxError(
            f"picture does not know {', '.join(sorted(attributes))}; it knows preset, alt, "
            "priority, sizes, decorative, class and figure_class"
        )
    image, use = _image_of(image)
    if image is None:
        return NOTHING
    page = _page_of(context)
    holder = context.get("request") or page
    delivery = delivery_of(image, page=page, holder=holder)
    unmanaged = delivery["state"] == "unmanaged"
    if unmanaged and isinstance(image, UnloadedImage):
        image = image.load()
    document = None if unmanaged else shown_document(delivery)
    if document is None and not unmanaged:
        return _nothing(delivery)
    if document not in (None, delivery.get("document")):
        alt, use = None, ImageUse(decorative=use.decorative)  # another picture stands in
    if decorative or use.decorative or (document or {}).get("decorative"):
        text = ""
    else:
        text = alt or use.alt_text or _own_alt(image, document)
    presentation = Presentation(
        preset=get_preset(preset),
        alt=text,
        priority=bool(priority),
        sizes=sizes or "",
        css_class=str(css_class),
        figure_class=str(figure_class),
        crop=use.crop,
    )
    if document is None:
        return unmanaged_html(image, presentation)
    return picture_html(document, presentation)


_compile_picture = register.tags["picture"]


@register.tag("picture")
def compile_picture(parser: Parser, token: Token) -> Node:
    """The tag above; ``page.hero`` is shown without loading the image where it is managed."""
    node = _compile_picture(parser, token)
    node.args[:1] = map(ImageExpression, node.args[:1])
    return node


@register.simple_tag(takes_context=True)
def prefetch_pictures(context: Context, images: Iterable[Any]) -> SafeString:
    """Load the delivery data of many images at once, before a loop over other pages."""
    holder = context.get("request") or _page_of(context)
    found = {image.pk for image, _use in map(_image_of, images) if image}
    deliveries = load_deliveries(found)
    if holder is not None:
        holder.__dict__.setdefault("_imagepipe_pictures", {}).update(deliveries)
    return NOTHING


def _image_of(value: Any) -> tuple[AbstractImage | UnloadedImage | None, ImageUse]:
    """The image, and what is said about this use of it."""
    if isinstance(value, UnloadedImage):
        return value, value.use
    if isinstance(value, AbstractImage):
        return value, use_of(value)
    if isinstance(value, Mapping):
        image, own = _image_of(value.get("image"))
        text = value.get("alt_text") or own.alt_text
        decorative = bool(value.get("decorative")) or own.decorative
        return image, ImageUse(text and str(text), decorative, own.crop)
    return None, ImageUse()


def _page_of(context: Context) -> models.Model | None:
    """The page or snippet being rendered; in a block ``self`` is the block's value."""
    for name in ("page", "self", "object"):
        if isinstance(value := context.get(name), models.Model):
            return value
    return None


def _own_alt(image: AbstractImage, document: Mapping[str, Any] | None) -> str:
    if document is not None:
        text = choose_alt(document["alt"], get_language() or settings.LANGUAGE_CODE)
        return text or document["title"]
    return str(image.default_alt_text)


def _nothing(delivery: Mapping[str, Any]) -> SafeString:
    """Withdrawn, expired or not published: visitors see nothing, developers a note."""
    if not settings.DEBUG:
        return NOTHING
    if delivery["document"].get("published"):
        note = _("imagepipe: this picture is outside its rights.")
    else:
        note = _("imagepipe: this picture is not published.")
    return format_html('<p class="imagepipe-missing">{}</p>', note)
