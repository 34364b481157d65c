"""The change feed: rows in the database, signed documents in the delivery storage."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from imagepipe.delivery import storage
from imagepipe.delivery.models import FeedEntry
from imagepipe.grants import MOST_ENTRIES, SHARDS, FeedDocument, feed_path, seal
from imagepipe.grants import FeedEntry as Line
from imagepipe.provenance.keys import GrantSigner


def append(asset_uid: str, shard: int, grant_sequence: int, tags: tuple[str, ...]) -> FeedEntry:
    """Record one change, once per asset and generation; the caller holds the lease."""
    with transaction.atomic():
        known = FeedEntry.objects.filter(
            shard=shard, asset_uid=asset_uid, grant_sequence=grant_sequence
        ).first()
        if known is not None:
            return known
        entries = FeedEntry.objects.filter(shard=shard)
        last = entries.aggregate(last=Max("sequence"))["last"] or 0
        return FeedEntry.objects.create(
            shard=shard,
            sequence=last + 1,
            asset_uid=asset_uid,
            grant_sequence=grant_sequence,
            tags=list(tags),
        )


def build_feed(shard: int) -> FeedDocument:
    """The newest entries of a shard, oldest first."""
    rows = list(FeedEntry.objects.filter(shard=shard).order_by("-sequence")[:MOST_ENTRIES])
    lines = tuple(
        Line(
            row.sequence,
            row.asset_uid.hex,
            row.grant_sequence,
            int(row.at.timestamp()),
            tuple(row.tags),
        )
        for row in reversed(rows)
    )
    return FeedDocument(
        shard, lines[-1].sequence if lines else 0, int(timezone.now().timestamp()), lines
    )


def write_feed(shard: int, signer: GrantSigner) -> None:
    document = build_feed(shard)
    storage.put(feed_path(shard), seal(document.to_dict(), signer.key, signer.key_id))


def write_all_feeds(signer: GrantSigner) -> None:
    """Every shard, also the empty ones, freshly issued: a sign of life for the edges."""
    for shard in range(SHARDS):
        write_feed(shard, signer)
