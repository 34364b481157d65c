"""Asking the edge for renditions before visitors do, and recording what it answered."""

from __future__ import annotations

import hashlib
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import F

from imagepipe.assets.models import Asset
from imagepipe.conf import get_settings
from imagepipe.delivery.addresses import Extension, edge_url
from imagepipe.delivery.documents import is_current, rights_of, scene_of
from imagepipe.delivery.models import Publication, StoredRendition
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.sources import formats_of, transforms_of
from imagepipe.rights.models import RightsRecord
from imagepipe.urlspec import MIME_TYPES, Transform, format_transform, plan

logger = logging.getLogger("imagepipe.delivery")

TIMEOUT = 30  # seconds
LARGEST = 32 * 1024 * 1024  # bytes
PAUSE = 3600  # seconds until an asset that the edge refused is tried again
SETTLING = 25  # seconds until pictures that the edge means to replace are asked for again
TRIES = 10  # times, then what is settled is recorded

_PASSING = re.compile(r"\bcache;desc=(?:provisional|stale)\b")


class Unsettled(Exception):
    """Some renditions are first answers, which the edge means to replace."""


def prewarm(
    asset: Asset, presets: Iterable[str] | None = None, *, is_last: bool = False
) -> list[StoredRendition]:
    """Fetch the renditions of the presets (default: those of the settings); best effort.

    Records transform, format, size, hash, and the rights as they stood. An edge that does not
    answer, or answers with something else than was asked, is logged and nothing more is
    recorded. Only settled pictures are recorded: raises Unsettled as long as some are not,
    unless this is the last try.
    """
    publication = Publication.objects.filter(asset=asset).first()
    version = asset.published_version
    if publication is None or version is None:
        return []
    document = publication.document
    source = document["width"], document["height"]
    scene = scene_of(document)
    names = presets or get_settings().PRESETS or ("content",)
    transforms = {
        item for name in names for item in transforms_of(document, get_preset(name))
    }
    rights = rights_of(asset)
    found = list(_answers(document, sorted(transforms, key=format_transform)))
    if not is_last and not all(answer.is_settled for _, _, answer in found):
        raise Unsettled
    stored: list[StoredRendition] = []
    for transform, extension, answer in found:
        if not answer.is_settled:
            continue
        size = plan(*source, transform, scene)
        rendition, _created = StoredRendition.objects.update_or_create(
            version=version,
            transform=format_transform(transform),
            format=extension,
            defaults={
                "width": size.width,
                "height": size.height,
                "byte_count": answer.byte_count,
                "sha256": answer.sha256,
                "rights": snapshot(rights),
                "valid_until": rights.valid_until if rights else None,
            },
        )
        stored.append(rendition)
    return stored


def prewarm_due(limit: int = 1) -> int:
    """Prewarm a few of the assets whose published version has no recorded rendition."""
    waiting = (
        Asset.objects.filter(publication__observed=F("publication__desired"))
        .filter(published_version__isnull=False, published_version__renditions=None)
        .select_related("published_version", "publication")
        .order_by("publication__changed_at")[:50]
    )
    done = 0
    for asset in waiting:
        if not is_current(asset.publication.document, time.time()):
            continue
        version = asset.published_version
        key = f"imagepipe:prewarm:{version.pk}"
        if not cache.add(key, True, PAUSE):
            continue
        tries = cache.get_or_set(f"{key}:tries", 1, PAUSE)
        try:
            prewarm(asset, is_last=tries >= TRIES)
        except Unsettled:
            cache.set(key, True, SETTLING)
            cache.set(f"{key}:tries", tries + 1, PAUSE)
        done += 1
        if done >= limit:
            break
    return done


def snapshot(rights: RightsRecord | None) -> dict[str, Any]:
    """The rights as plain values, for the record."""
    if rights is None:
        return {}
    return {
        "licence": rights.licence,
        "rights_holder": rights.rights_holder,
        "credit": rights.credit,
        "markets": list(rights.markets),
        "channels": list(rights.channels),
        "valid_from": rights.valid_from.isoformat() if rights.valid_from else None,
        "valid_until": rights.valid_until.isoformat() if rights.valid_until else None,
    }


@dataclass(frozen=True)
class Answer:
    """Length and hash of a rendition, and whether the edge means to keep it."""

    byte_count: int
    sha256: str
    is_settled: bool


def _answers(
    document: Any, transforms: Iterable[Transform]
) -> Iterator[tuple[Transform, Extension, Answer]]:
    """Until the edge does not answer as it should."""
    for transform in transforms:
        for extension in formats_of(document):
            answer = _fetch(document, transform, extension)
            if answer is None:
                return
            yield transform, extension, answer


def _fetch(document: Any, transform: Transform, extension: Extension) -> Answer | None:
    url = edge_url(document, transform, extension)
    if not url.startswith(("http://", "https://")):
        return None
    request = urllib.request.Request(url, headers={"Accept": MIME_TYPES[extension]})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            content = bytes(answer.read(LARGEST + 1))
            kind = answer.headers.get_content_type()
            timing = answer.headers.get("Server-Timing", "")
    except (urllib.error.URLError, OSError) as error:
        logger.info("not prewarmed: %s", error)
        return None
    if kind != MIME_TYPES[extension] or len(content) > LARGEST:
        logger.warning("the edge answered with %s instead of %s", kind, extension)
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    return Answer(len(content), sha256, not _PASSING.search(timing))
