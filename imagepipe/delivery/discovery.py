"""Which images a page uses, without loading any of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Any

from django.db import models
from wagtail.blocks import (
    Block,
    ChooserBlock,
    ListBlock,
    StreamBlock,
    StreamValue,
    StructBlock,
)
from wagtail.fields import StreamField
from wagtail.images import get_image_model
from wagtail.models import Page, ReferenceIndex

MOST_IMAGES = 500
_NOTE = "_imagepipe_has_images"


def image_ids_of(page: models.Model) -> set[Any]:
    """Primary keys of the images in the page's foreign keys and StreamFields.

    No query, unless the model has child relations (inline panels): then one, to Wagtail's
    reference index, which knows what those refer to.
    """
    found = {pk for pk in _scan(page) if pk is not None}
    if page.pk is not None and _has_children(page._meta.model):
        found |= referenced_image_ids(page)
    return set(list(found)[:MOST_IMAGES])


def referenced_image_ids(page: models.Model) -> set[Any]:
    """What the reference index says about a saved object; one query."""
    image_model = get_image_model()
    base = Page if isinstance(page, Page) else type(page)
    rows = ReferenceIndex.objects.filter(
        base_content_type__app_label=base._meta.app_label,
        base_content_type__model=base._meta.model_name,
        object_id=str(page.pk),
        to_content_type__app_label=image_model._meta.app_label,
        to_content_type__model=image_model._meta.model_name,
    ).values_list("to_object_id", flat=True)[:MOST_IMAGES]
    return {image_model._meta.pk.to_python(value) for value in rows}


def _scan(page: models.Model) -> Iterator[Any]:
    image_model = get_image_model()
    for field in page._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            if issubclass(field.related_model, image_model):
                yield getattr(page, field.attname)
        elif isinstance(field, StreamField) and _has_images(field.stream_block):
            value = getattr(page, field.attname)
            if isinstance(value, StreamValue):
                yield from _in_stream(field.stream_block, value.raw_data)


def _in_stream(block: StreamBlock, items: Any) -> Iterator[Any]:
    for item in items or ():
        if isinstance(item, dict) and (child := block.child_blocks.get(item.get("type"))):
            yield from _in_value(child, item.get("value"))


def _in_value(block: Block, value: Any) -> Iterator[Any]:
    """Walk raw StreamField data along the block definitions."""
    if value is None or not _has_images(block):
        return
    if isinstance(block, ChooserBlock):
        yield value if not isinstance(value, models.Model) else value.pk
    elif isinstance(block, StreamBlock):
        yield from _in_stream(block, value)
    elif isinstance(block, ListBlock):
        for item in value:
            wrapped = isinstance(item, dict) and {"type", "value"} <= item.keys()
            yield from _in_value(block.child_block, item["value"] if wrapped else item)
    elif isinstance(block, StructBlock):
        if isinstance(value, int):  # an image block that was a plain chooser once
            yield value
        elif isinstance(value, dict):
            for name, child in block.child_blocks.items():
                yield from _in_value(child, value.get(name))


def _has_images(block: Block) -> bool:
    """Told once per block definition; blocks cannot be hashed, so it is noted on them."""
    noted = block.__dict__.get(_NOTE)
    if noted is None:
        block.__dict__[_NOTE] = False  # a block may contain itself
        noted = block.__dict__[_NOTE] = _look_for_images(block)
    return bool(noted)


def _look_for_images(block: Block) -> bool:
    if isinstance(block, ChooserBlock):
        return issubclass(block.model_class, get_image_model())
    if isinstance(block, ListBlock):
        return _has_images(block.child_block)
    if isinstance(block, (StreamBlock, StructBlock)):
        return any(_has_images(child) for child in block.child_blocks.values())
    return False


@lru_cache(maxsize=500)
def _has_children(model: Hashable) -> bool:
    from modelcluster.models import ClusterableModel, get_all_child_relations

    if not (isinstance(model, type) and issubclass(model, ClusterableModel)):
        return False
    own = [
        relation
        for relation in get_all_child_relations(model)
        if not relation.related_model._meta.app_label.startswith("wagtail")
    ]
    return bool(own)
