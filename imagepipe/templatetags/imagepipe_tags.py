"""Tags for pictures; they compute no pixels and write nothing to the database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.conf import settings
from django.template.base import Node, Parser, Token
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from imagepipe.delivery.markup import NOTHING, picture_html, unmanaged_html
from imagepipe.delivery.pictures import load_deliveries
from imagepipe.delivery.position import loads_at_once
from imagepipe.delivery.presentation import Presentation, Variant
from imagepipe.delivery.presets import UnknownPreset, adapted_preset, get_preset
from imagepipe.delivery.shown import (
    Context,
    ShownPicture,
    holder_of,
    image_of,
    remember_shown,
    show,
    shown_before,
)
from imagepipe.delivery.unloaded import ImageExpression
from imagepipe.delivery.variants import NARROW_MEDIA, ArtDirection, may_show, preload_links
from imagepipe.seo.image_object import structured_data
from imagepipe.seo.public_pages import discovery_link
from imagepipe.seo.social import social_card
from imagepipe.urlspec import InvalidTransform, Preset

register = template.Library()
logger = logging.getLogger("imagepipe.delivery")

DEFAULT_PRESET = "content"
OTHER_IMAGES = {"narrow_image", "dark_image"}
FREE = ("widths", "ratio", "fit", "gravity", "quality", "background", "crop")


@register.simple_tag(takes_context=True)
def picture(
    context: Context,
    image: Any,
    preset: str = DEFAULT_PRESET,
    alt: str | None = None,
    priority: bool | None = None,
    sizes: str | None = None,
    decorative: bool = False,
    placeholder: bool = True,
    narrow: str | None = None,
    narrow_media: str = NARROW_MEDIA,
    narrow_image: Any = None,
    dark_image: Any = None,
    **attributes: Any,
) -> SafeString:
    """Show a Wagtail image, or the value of an image block, from the edge.

    ``class`` goes to the `<img>`, ``figure_class`` to the `<figure>` around a disclosed one;
    ``widths``, ``ratio`` and the other options of presets hold for this use. ``narrow`` names
    the preset of narrow viewports; another image may stand there, and on dark pages.
    Without ``priority`` the first large picture of the page loads at once, others lazily.
    """
    css_class, figure_class = attributes.pop("class", ""), attributes.pop("figure_class", "")
    chosen = _preset("picture", preset, attributes)
    others = narrow_image, dark_image
    shown = show(context, image, alt=alt, decorative=decorative, beside=others)
    if shown is None:
        return _no_image("picture", image)
    if may_show(shown) is None:
        return _nothing(shown)
    presentation = Presentation(
        preset=chosen,
        alt=shown.alt,
        priority=loads_at_once(context, shown, chosen, priority),
        sizes=sizes or "",
        css_class=str(css_class),
        figure_class=str(figure_class),
        crop=shown.use.crop,
        crops=shown.use.crops,
        recipe=(shown.document or {}).get("recipe", ""),
        placeholder=bool(placeholder),
    )
    remember_shown(context, shown)
    variants: tuple[Variant, ...] = ()
    if narrow or narrow_image or dark_image:
        narrow_picture, dark_picture = (
            may_show(show(context, other, beside=others)) for other in others
        )
        direction = ArtDirection(
            _checked("picture", narrow, {}) if narrow else None,
            str(narrow_media) or NARROW_MEDIA,
            narrow_picture,
            dark_picture,
        )
        variants = tuple(direction.variants(shown, presentation))
        for picture in filter(None, (narrow_picture, dark_picture)):
            remember_shown(context, picture)
    if shown.document is None:
        return unmanaged_html(shown.image, presentation, variants)
    return picture_html(shown.document, presentation, variants)


@register.simple_tag(takes_context=True)
def picture_preload(
    context: Context,
    image: Any,
    preset: str = DEFAULT_PRESET,
    sizes: str | None = None,
    narrow: str | None = None,
    narrow_media: str = NARROW_MEDIA,
    narrow_image: Any = None,
    dark_image: Any = None,
    **options: Any,
) -> SafeString:
    """In the head: fetch a picture early that the browser would find late, in CSS for example.

    Takes the same preset, ``sizes``, art direction and options as the picture itself.
    """
    chosen = _preset("picture_preload", preset, options)
    others = narrow_image, dark_image
    shown = show(context, image, beside=others)
    if shown is None:
        return _no_image("picture_preload", image)
    if shown.document is None:
        return NOTHING
    use = shown.use
    presentation = Presentation(
        chosen, shown.alt, sizes=sizes or "", crop=use.crop, crops=use.crops
    )
    direction = ArtDirection(
        _checked("picture_preload", narrow, {}) if narrow else None,
        str(narrow_media) or NARROW_MEDIA,
        *(may_show(show(context, other, beside=others)) for other in others),
    )
    return preload_links(shown, presentation, direction)


@register.simple_tag(takes_context=True)
def picture_card(
    context: Context, image: Any, preset: str = "social", information: bool = False
) -> SafeString:
    """In the head: the picture that others show when they link to the page.

    With ``information``, a link to what programs may know of it, too.
    """
    chosen = _preset("picture_card", preset, {})
    shown = show(context, image)
    if shown is None:
        return _no_image("picture_card", image)
    card = social_card(shown, chosen)
    if not information:
        return card
    return format_html("{}{}", card, discovery_link(shown, context.get("request")))


@register.simple_tag(takes_context=True)
def picture_data(context: Context) -> SafeString:
    """At the end of the body: the pictures shown so far, for search engines."""
    return structured_data(shown_before(context), context.get("request"))


def _by_key(name: str) -> None:
    """Let a tag show ``page.hero`` without loading the image where it is managed."""
    compile_tag = register.tags[name]

    def compile_by_key(parser: Parser, token: Token) -> Node:
        node = compile_tag(parser, token)
        node.args[:1] = map(ImageExpression, node.args[:1])
        for option in node.kwargs.keys() & OTHER_IMAGES:
            node.kwargs[option] = ImageExpression(node.kwargs[option])
        return node

    register.tag(name, compile_by_key)


for _name in ("picture", "picture_preload", "picture_card"):
    _by_key(_name)


@register.simple_tag(takes_context=True)
def prefetch_pictures(context: Context, images: Iterable[Any]) -> SafeString:
    """Load the delivery data of many images at once, before a loop over other pages."""
    holder = holder_of(context)
    found = {image.pk for image, _use in map(image_of, images) if image}
    deliveries = load_deliveries(found)
    if holder is not None:
        holder.__dict__.setdefault("_imagepipe_pictures", {}).update(deliveries)
    return NOTHING


def _preset(tag: str, name: str, options: Mapping[str, Any]) -> Preset:
    """Mistakes of the template stop a developer; visitors get the default preset instead."""
    return _checked(tag, name, options) or get_preset(DEFAULT_PRESET)


def _checked(tag: str, name: str, options: Mapping[str, Any]) -> Preset | None:
    """None for a mistake, where it does not stop a developer."""
    try:
        if unknown := sorted(set(options) - set(FREE)):
            raise template.TemplateSyntaxError(
                f"{tag} does not know {', '.join(unknown)}; it knows preset, alt, priority, "
                f"sizes, decorative, placeholder, narrow, narrow_media, narrow_image, "
                f"dark_image, class, figure_class, {', '.join(FREE)}"
            )
        return adapted_preset(name, options)
    except (UnknownPreset, InvalidTransform, template.TemplateSyntaxError) as error:
        if settings.DEBUG:
            raise template.TemplateSyntaxError(f"{tag}: {error}") from error
        logger.error("picture with a mistake in its template: %s", error)
        return None


def _no_image(tag: str, value: Any) -> SafeString:
    """An empty field is no mistake; a word or a number is."""
    if value is None or value == "":
        return NOTHING
    message = f"{tag}: {str(value)[:80]!r} is not an image, but {type(value).__name__}"
    if settings.DEBUG:
        raise template.TemplateSyntaxError(message)
    logger.error("picture with a mistake in its template: %s", message)
    return NOTHING


def _nothing(shown: ShownPicture) -> SafeString:
    """Withdrawn, expired or not published: visitors see nothing, developers a note."""
    if not settings.DEBUG:
        return NOTHING
    if shown.delivery["document"].get("published"):
        note = _("imagepipe: this picture is outside its rights.")
    else:
        note = _("imagepipe: this picture is not published.")
    return format_html('<p class="imagepipe-missing">{}</p>', note)
