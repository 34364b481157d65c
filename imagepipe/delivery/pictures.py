"""Delivery data for pages: loaded for all pictures of a page at once, then remembered.

Cold, a page costs one query (two where its model has child relations); warm, none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from django.db import models
from django.db.models import Q
from django.utils import timezone

from imagepipe.assets.models import Asset
from imagepipe.conf import get_settings
from imagepipe.delivery.discovery import image_ids_of
from imagepipe.delivery.documents import is_current
from imagepipe.delivery.placeholder import is_placeholder
from imagepipe.delivery.visibility import standing
from imagepipe.events.bus import PublicationRequested
from imagepipe.rights.models import RightsRecord

Known = dict[Any, "Delivery"]
Delivery = Mapping[str, Any]
"""``{"state": "managed", "document", "fallback"}``, or ``{"state": "unmanaged"}``: shown by
Wagtail, because nobody has adopted it, or because it stands as it was adopted."""

UNMANAGED: Delivery = {"state": "unmanaged"}
_MEMO = "_imagepipe_pictures"


def load_deliveries(image_ids: Iterable[Any]) -> Known:
    """Delivery data by image id, from the cache and, for the rest, with one query."""
    wanted = set(image_ids)
    known = remembered_deliveries(wanted)
    missing = [pk for pk in wanted if pk not in known]
    if missing:
        fresh = fresh_deliveries(missing)
        cache.set_many(
            {_key(pk): delivery for pk, delivery in fresh.items()},
            get_settings().PICTURE_CACHE_SECONDS,
        )
        known |= fresh
    return known


def fresh_deliveries(image_ids: Iterable[Any]) -> Known:
    """Delivery data by image id, as the database says now, with one query."""
    image_ids = list(image_ids)
    chosen = Q(image_id__in=image_ids)
    stand_ins = RightsRecord.objects.filter(
        asset__image_id__in=image_ids, fallback__isnull=False
    ).values("fallback")
    rows = (
        Asset.objects.filter(chosen | Q(pk__in=stand_ins))
        .annotate(stands=standing())
        .values_list("uid", "image_id", "publication__document", "stands", "image__file")
    )
    documents = {
        uid.hex: (image_id, document or {}, stands and not is_placeholder(name))
        for uid, image_id, document, stands, name in rows
    }
    found: Known = dict.fromkeys(image_ids, UNMANAGED)
    for image_id, document, stands in documents.values():
        if image_id in found and not stands:
            fallback = documents.get(document.get("fallback") or "", (None, None, None))[1]
            found[image_id] = {
                "state": "managed",
                "document": document,
                "fallback": fallback,
            }
    return found


def remembered_deliveries(image_ids: Iterable[Any]) -> Known:
    """What the cache knows, by image id; no query."""
    wanted = {pk: _key(pk) for pk in image_ids}
    cached = cache.get_many(wanted.values())
    return {pk: cached[key] for pk, key in wanted.items() if key in cached}


def delivery_of(
    image: models.Model,
    *,
    page: models.Model | None = None,
    holder: Any = None,
    beside: Iterable[Any] = (),
) -> Delivery:
    """Delivery data of one image; the first call of a page loads those of all its images.

    Discovery happens at the first picture that the cache does not know. ``holder`` (the
    request, or else the page) remembers the answers for as long as it lives. ``beside`` are
    keys of images that are wanted next.
    """
    memo: Known = {} if holder is None else holder.__dict__.setdefault(_MEMO, {})
    if image.pk in memo:
        return memo[image.pk]
    if (hit := cache.get(_key(image.pk))) is not None:
        memo[image.pk] = hit
        return hit
    ids = {image.pk, *beside}
    if page is not None and _is_first_miss(memo, page):
        ids |= image_ids_of(page)
    memo.update(load_deliveries(ids - memo.keys()))
    return memo[image.pk]


def shown_document(delivery: Delivery, now: float | None = None) -> Mapping[str, Any] | None:
    """The document of what may be shown now: the picture's own, its fallback's, or None."""
    moment = timezone.now().timestamp() if now is None else now
    for name in ("document", "fallback"):
        document = delivery.get(name)
        if document and is_current(document, moment):
            return dict(document)
    return None


def forget(asset_uid: str) -> None:
    """Drop what is cached of an asset and of those that fall back to it."""
    stands_in_for = RightsRecord.objects.filter(fallback__uid=asset_uid).values("asset")
    images = Asset.objects.filter(
        Q(uid=asset_uid) | Q(pk__in=stands_in_for), image__isnull=False
    )
    cache.delete_many([_key(pk) for pk in images.values_list("image_id", flat=True)])


def on_publication_requested(event: PublicationRequested) -> None:
    forget(event.asset_uid)


def _is_first_miss(memo: Known, page: models.Model) -> bool:
    key = ("page", page._meta.label, page.pk)
    if key in memo:
        return False
    memo[key] = UNMANAGED
    return True


def _key(image_id: Any) -> str:
    return f"imagepipe:picture:{image_id}"
