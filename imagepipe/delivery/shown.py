"""From what a template names to what may be shown of it here and now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from wagtail.images.models import AbstractImage

from imagepipe.delivery.alternatives import choose_alt
from imagepipe.delivery.pictures import Delivery, delivery_of, shown_document
from imagepipe.delivery.unloaded import UnloadedImage
from imagepipe.delivery.uses import ImageUse, use_of

Context = Any
"""Of Django's or of Jinja's templates: both have ``get``."""
_SHOWN = "_imagepipe_shown"


@dataclass(frozen=True)
class ShownPicture:
    """A picture in one place of a page."""

    delivery: Delivery
    document: Mapping[str, Any] | None
    """What stands there: the picture, its fallback, or None."""
    image: AbstractImage | None
    """The Wagtail image, if imagepipe does not manage it."""
    alt: str
    use: ImageUse


def show(
    context: Context,
    value: Any,
    *,
    alt: str | None = None,
    decorative: bool = False,
    beside: Iterable[Any] = (),
) -> ShownPicture | None:
    """Find what a template shows with ``value``; None if it is no image.

    ``alt`` and ``decorative`` are said by the template and win over the use and the asset.
    The values ``beside`` it are shown next: they are loaded with the same query.
    """
    image, use = image_of(value)
    if image is None:
        return None
    others = {other.pk for other, _use in map(image_of, beside) if other is not None}
    page, holder = page_of(context), holder_of(context)
    delivery = delivery_of(image, page=page, holder=holder, beside=others)
    unmanaged = delivery["state"] == "unmanaged"
    if unmanaged and isinstance(image, UnloadedImage):
        image = image.load()
    document = None if unmanaged else shown_document(delivery)
    if document not in (None, delivery.get("document")):
        alt, use = None, ImageUse(decorative=use.decorative)  # another picture stands in
    if decorative or use.decorative or (document or {}).get("decorative"):
        text = ""
    else:
        text = alt or use.alt_text or _own_alt(image, document)
    return ShownPicture(delivery, document, image if unmanaged else None, text, use)


def image_of(value: Any) -> tuple[AbstractImage | UnloadedImage | None, ImageUse]:
    """The image, and what is said about this use of it."""
    if isinstance(value, UnloadedImage):
        return value, value.use
    if isinstance(value, AbstractImage):
        return value, use_of(value)
    if isinstance(value, Mapping):
        image, own = image_of(value.get("image"))
        text = value.get("alt_text") or own.alt_text
        decorative = bool(value.get("decorative")) or own.decorative
        return image, ImageUse(text and str(text), decorative, own.crop, own.crops)
    return None, ImageUse()


def page_of(context: Context) -> models.Model | None:
    """The page or snippet being rendered; in a block ``self`` is the block's value."""
    for name in ("page", "self", "object"):
        if isinstance(value := context.get(name), models.Model):
            return value
    return None


def holder_of(context: Context) -> Any:
    """What lives as long as the rendering: the request, or else the page."""
    return context.get("request") or page_of(context)


def remember_shown(context: Context, picture: ShownPicture) -> None:
    """Note that the page shows it."""
    holder = holder_of(context)
    if holder is not None and picture.document is not None:
        noted = holder.__dict__.setdefault(_SHOWN, {})
        noted.setdefault(picture.document["asset"], picture)


def shown_before(context: Context) -> Iterator[ShownPicture]:
    """What the page has shown so far, each picture once."""
    holder = holder_of(context)
    yield from () if holder is None else holder.__dict__.get(_SHOWN, {}).values()


def _own_alt(image: Any, document: Mapping[str, Any] | None) -> str:
    if document is not None:
        text = choose_alt(document["alt"], get_language() or settings.LANGUAGE_CODE)
        return text or document["title"]
    return "" if isinstance(image, UnloadedImage) else str(image.default_alt_text)
