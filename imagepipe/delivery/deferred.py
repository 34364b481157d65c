"""Images that stand for themselves by key until somebody asks for more than their key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from wagtail.images import get_image_model

from imagepipe.delivery.pictures import remembered_deliveries


def deferred_images(image_ids: Iterable[Any]) -> dict[Any, Any] | None:
    """Unloaded images by key, if the delivery data of all are remembered; else None.

    The picture tag needs no more than the key of such an image. Reading any other field loads
    all of them with one query; one that has been deleted meanwhile raises ``DoesNotExist``,
    which templates pass over.
    """
    wanted = set(image_ids)
    known = remembered_deliveries(wanted)
    if len(known) < len(wanted) or any(d["state"] == "unmanaged" for d in known.values()):
        return None
    model = get_image_model()
    images = {pk: model.from_db(None, [model._meta.pk.attname], [pk]) for pk in wanted}
    for image in images.values():
        image.refresh_from_db = partial(_load_together, images, image)
    return images


def _load_together(images: dict[Any, Any], asked: Any, **kwargs: Any) -> None:
    """Django calls this for the first field that is missing."""
    for image in images.values():
        image.__dict__.pop("refresh_from_db", None)
    loaded = type(asked)._default_manager.in_bulk(list(images))
    for pk, row in loaded.items():
        image = images[pk]
        image._state.db = row._state.db
        for field in image._meta.concrete_fields:
            image.__dict__.setdefault(field.attname, row.__dict__[field.attname])
    if asked.pk not in loaded:
        raise type(asked).DoesNotExist(f"The image {asked.pk} has been deleted.")
