"""Where pages show a picture, and what they say right before, beside and after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any

from django.db import models
from django.utils.html import strip_tags
from wagtail.blocks import StreamValue, StructValue
from wagtail.blocks.list_block import ListValue
from wagtail.fields import StreamField
from wagtail.images.models import AbstractImage
from wagtail.models import Page
from wagtail.rich_text import RichText

from imagepipe.assets.models import Asset

MOST_PLACES = 3
MOST_PARTS = 2000
"""Texts and pictures of one page that are looked at."""
REACH = 300
"""Characters before and after."""


@dataclass(frozen=True, slots=True)
class Place:
    """One use on one page. ``language`` is that of the page."""

    page: int
    title: str
    language: str
    caption: str = ""
    """Said in the same block as the picture."""
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        return " ".join((self.title, self.before, self.caption, self.after))


@dataclass(frozen=True, slots=True)
class _Part:
    """A text (``image`` None) or a picture, and the block that both stand in."""

    text: str
    image: int | None
    block: int


def places_of(asset: Asset) -> tuple[Place, ...]:
    """At most three uses, pages only, in the order of Wagtail's reference index."""
    if asset.image_id is None or asset.image is None:
        return ()
    pages = (page for page, _references in asset.image.get_usage() if isinstance(page, Page))
    return tuple(_place(page, asset.image_id) for page in islice(pages, MOST_PLACES))


def _place(page: Page, image: int) -> Place:
    specific = page.specific
    locale = getattr(page, "locale", None)
    language = locale.language_code if locale else ""
    for field in specific._meta.get_fields():
        if isinstance(field, StreamField):
            parts = list(islice(_parts(getattr(specific, field.name)), MOST_PARTS))
            for at, part in enumerate(parts):
                if part.image == image:
                    around = _around(parts, at)
                    return Place(page.pk, page.title, language, *around)
    return Place(page.pk, page.title, language, after=_first_text(specific))


def _around(parts: list[_Part], at: int) -> tuple[str, str, str]:
    block = parts[at].block
    texts = [part for part in parts if part.text]
    caption = " ".join(part.text for part in texts if part.block == block)
    before = " ".join(part.text for part in parts[:at] if part.text and part.block != block)
    after = " ".join(part.text for part in parts[at:] if part.text and part.block != block)
    return caption[:REACH], before[-REACH:].strip(), after[:REACH].strip()


def _parts(value: Any) -> Iterator[_Part]:
    """Texts and pictures in the order of the page."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, block = stack.pop()
        if isinstance(item, AbstractImage) or hasattr(item, "contextual_alt_text"):
            yield _Part("", item.pk, block)
        elif isinstance(item, RichText):
            yield _Part(" ".join(unescape(strip_tags(item.source)).split()), None, block)
        elif isinstance(item, str):
            yield _Part(" ".join(item.split()), None, block)
        elif isinstance(item, StructValue):
            own = id(item)
            stack.extend((child.value, own) for child in reversed(item.bound_blocks.values()))
        elif isinstance(item, StreamValue):
            stack.extend((child.value, id(child)) for child in reversed(list(item)))
        elif isinstance(item, ListValue):
            stack.extend((child.value, id(child)) for child in reversed(item.bound_blocks))


def _first_text(page: models.Model) -> str:
    """The first text field of the page's own model: a lead, an introduction."""
    for field in page._meta.local_fields:
        if isinstance(field, (models.CharField, models.TextField)) and not field.choices:
            if text := str(getattr(page, field.attname) or ""):
                return " ".join(strip_tags(text).split())[:REACH]
    return ""
