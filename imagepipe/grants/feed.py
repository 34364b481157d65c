"""The change feed: which assets got a new grant, newest 256 changes per shard.

A reader remembers the last sequence it has handled and asks `changes_since`; None means
that the document no longer reaches back that far.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from imagepipe.grants import fields as f
from imagepipe.grants.exceptions import InvalidDocument
from imagepipe.grants.grant import FORMAT
from imagepipe.grants.paths import SHARDS, shard_of

MOST_ENTRIES = 256
_FEED_KEYS = ("kind", "format", "shard", "sequence", "issued_at", "entries")
_ENTRY_KEYS = ("sequence", "asset", "grant_sequence", "at", "tags")


@dataclass(frozen=True)
class FeedEntry:
    """One published change. `at` is Unix seconds; tags are what to purge downstream."""

    sequence: int
    asset: str
    grant_sequence: int
    at: int
    tags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "asset": self.asset,
            "grant_sequence": self.grant_sequence,
            "at": self.at,
            "tags": list(self.tags),
        }

    @classmethod
    def from_dict(cls, value: object) -> FeedEntry:
        data = f.require_object(value, "entry", _ENTRY_KEYS)
        return cls(
            sequence=f.require_integer(data["sequence"], "sequence", 1),
            asset=f.require_text(data["asset"], "asset", f.HEX32),
            grant_sequence=f.require_integer(data["grant_sequence"], "grant_sequence"),
            at=f.require_integer(data["at"], "at"),
            tags=f.require_texts(data["tags"], "tags", f.TAG, 200),
        )


@dataclass(frozen=True)
class FeedDocument:
    """The newest changes of one shard, oldest first. An empty shard has sequence 0."""

    shard: int
    sequence: int = 0
    issued_at: int = 0
    entries: tuple[FeedEntry, ...] = ()

    def appended(
        self, asset: str, grant_sequence: int, at: int, tags: tuple[str, ...] = ()
    ) -> FeedDocument:
        """The feed with one change more; the oldest one falls out past the limit."""
        if shard_of(asset) != self.shard:
            raise InvalidDocument("the asset belongs to another shard")
        entry = FeedEntry(self.sequence + 1, asset, grant_sequence, at, tags)
        entries = (*self.entries, entry)[-MOST_ENTRIES:]
        return FeedDocument(self.shard, entry.sequence, at, entries)

    def to_dict(self) -> dict[str, Any]:
        """The payload for `seal`."""
        return {
            "kind": "feed",
            "format": FORMAT,
            "shard": self.shard,
            "sequence": self.sequence,
            "issued_at": self.issued_at,
            "entries": [entry.to_dict() for entry in self.entries],
        }

    @classmethod
    def from_dict(cls, value: object) -> FeedDocument:
        data = f.require_object(value, "feed", _FEED_KEYS)
        if data["kind"] != "feed":
            raise InvalidDocument("the document is not a feed")
        f.require_integer(data["format"], "format", FORMAT, FORMAT)
        entries = f.require_list(data["entries"], "entries", MOST_ENTRIES)
        document = cls(
            shard=f.require_integer(data["shard"], "shard", 0, SHARDS - 1),
            sequence=f.require_integer(data["sequence"], "sequence"),
            issued_at=f.require_integer(data["issued_at"], "issued_at"),
            entries=tuple(FeedEntry.from_dict(entry) for entry in entries),
        )
        document._check_order()
        return document

    def _check_order(self) -> None:
        sequences = [entry.sequence for entry in self.entries]
        if any(later <= earlier for earlier, later in pairwise(sequences)):
            raise InvalidDocument("entries are not in ascending order")
        if sequences and sequences[-1] != self.sequence:
            raise InvalidDocument("the newest entry is not the feed's sequence")
        if any(shard_of(entry.asset) != self.shard for entry in self.entries):
            raise InvalidDocument("an entry belongs to another shard")


def changes_since(
    document: FeedDocument, last_sequence: int | None
) -> tuple[FeedEntry, ...] | None:
    """The entries after last_sequence, oldest first; () if there are none.

    None means that changes may have been missed, and everything known of the shard must be
    dropped: the reader knows nothing yet (None), the entries do not reach back far enough,
    or the feed itself went back.
    """
    if last_sequence is None or last_sequence > document.sequence:
        return None
    if last_sequence == document.sequence:
        return ()
    if not document.entries or document.entries[0].sequence > last_sequence + 1:
        return None
    return tuple(entry for entry in document.entries if entry.sequence > last_sequence)
