"""Names of documents and masters in the delivery storage."""

from __future__ import annotations

from imagepipe.grants.exceptions import InvalidDocument
from imagepipe.grants.fields import HEX32, HEX64

SHARDS = 16


def shard_of(asset: str) -> int:
    """The feed shard of an asset: the first of the 32 hex digits of its uid."""
    return int(_checked_asset(asset)[0], 16)


def grant_path(asset: str) -> str:
    return f"grants/{_checked_asset(asset)}.json"


def feed_path(shard: int) -> str:
    if not 0 <= shard < SHARDS:
        raise InvalidDocument(f"shard is outside 0..{SHARDS - 1}")
    return f"feed/{shard:02d}.json"


def master_path(sha256: str) -> str:
    return f"masters/{_checked_hash(sha256)[:2]}/{sha256}"


def parent_path(sha256: str) -> str:
    """Where the prepared parent credential of a master lies."""
    return f"credentials/{_checked_hash(sha256)}.parent"


def _checked_asset(asset: str) -> str:
    if not HEX32.fullmatch(asset):
        raise InvalidDocument("an asset uid is 32 lower-case hex digits")
    return asset


def _checked_hash(sha256: str) -> str:
    if not HEX64.fullmatch(sha256):
        raise InvalidDocument("a content hash is 64 lower-case hex digits")
    return sha256
