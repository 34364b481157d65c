"""What may be delivered: grants in memory, kept current by the feed and by file stamps."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.exceptions import BadRequest, GrantUnavailable
from edge.sources import Source, Stamp
from imagepipe.grants import (
    SHARDS,
    DocumentError,
    FeedDocument,
    Grant,
    RolledBack,
    SequenceGuard,
    changes_since,
    feed_path,
    grant_path,
    shard_of,
    unseal,
)

logger = logging.getLogger("edge.grants")

MOST_GRANTS = 50_000


@dataclass(frozen=True, slots=True)
class _Known:
    grant: Grant
    stamp: Stamp


class GrantBook:
    """The grants of one process. Every answer is verified, current and never rolled back.

    `on_change` is told every asset whose grant was replaced or dropped, `on_lost` every shard
    of whose assets any may have changed unseen, as at the start. While the storage does
    not answer, what is known counts for `grace` seconds more; then nothing is shown.
    """

    def __init__(
        self,
        source: Source,
        keys: Mapping[str, Ed25519PublicKey],
        guard: SequenceGuard,
        on_change: Callable[[str], None] = lambda asset: None,
        grace: float = 0,
        on_lost: Callable[[int], None] = lambda shard: None,
    ) -> None:
        self._source = source
        self._keys = keys
        self._guard = guard
        self._on_change = on_change
        self._on_lost = on_lost
        self._grace = grace
        self._reached = time.monotonic()
        self._known: dict[str, _Known] = {}
        self._last: dict[int, int | None] = dict.fromkeys(range(SHARDS))
        self._feeds: dict[int, Stamp] = {}
        self._lock = threading.Lock()

    def get(self, asset: str) -> Grant:
        """The current grant of an asset. Raises BadRequest (404) or GrantUnavailable (503)."""
        name = grant_path(asset)
        known = self._known.get(asset)
        try:
            stamp = self._source.stamp(name)
        except OSError:
            if known is not None and time.monotonic() < self._reached + self._grace:
                return known.grant
            raise _unreadable() from None
        self._reached = time.monotonic()
        if stamp is None:
            self._drop(asset)
            raise BadRequest(404, "unknown-asset", "there is no such picture")
        if known is not None and known.stamp == stamp:
            return known.grant
        return self._load(asset, name)

    def poll(self) -> int:
        """Read the feed, drop what changed; return how many assets that were.

        Raises OSError when the storage cannot be read. A feed that does not verify is passed
        over: it can hide no change, because grants are also compared by their file.
        """
        if not self._source.is_readable():
            raise OSError("the delivery storage cannot be read")
        return sum(self._poll_shard(shard) for shard in range(SHARDS))

    def _poll_shard(self, shard: int) -> int:
        name = feed_path(shard)
        stamp = self._source.stamp(name)
        if stamp is None or self._feeds.get(shard) == stamp:
            return 0
        try:
            data, stamp = self._source.read(name)
            document = FeedDocument.from_dict(unseal(data, self._keys, "feed"))
            if document.shard != shard:
                raise DocumentError("the feed belongs to another shard")
        except ValueError as error:
            logger.error("feed shard %d is not usable: %s", shard, error)
            return 0
        entries = changes_since(document, self._last[shard])
        for entry in document.entries:
            self._guard.expect(entry.asset, entry.grant_sequence)
        if entries is None:
            changed = {asset for asset in list(self._known) if shard_of(asset) == shard}
            self._on_lost(shard)
        else:
            changed = {entry.asset for entry in entries}
        for asset in changed:
            self._drop(asset)
            self._on_change(asset)
        self._last[shard], self._feeds[shard] = document.sequence, stamp
        return len(changed)

    def _load(self, asset: str, name: str) -> Grant:
        try:
            data, stamp = self._source.read(name)
            grant = Grant.from_dict(unseal(data, self._keys, "grant"))
            if grant.asset != asset:
                raise DocumentError("the grant belongs to another asset")
            self._guard.accepts(asset, grant.sequence)
        except RolledBack as error:
            logger.error("grant of %s refused: %s", asset, error)
            self._drop(asset)
            raise GrantUnavailable(
                "rolled-back-grant", "the delivery document is older than one already seen"
            ) from None
        except (OSError, ValueError) as error:
            logger.error("grant of %s is not usable: %s", asset, error)
            self._drop(asset)
            raise _unreadable() from None
        with self._lock:
            if len(self._known) >= MOST_GRANTS:
                self._known.pop(next(iter(self._known)))
            replaced = self._known.get(asset)
            self._known[asset] = _Known(grant, stamp)
        if replaced is not None:
            self._on_change(asset)
        return grant

    def forget(self, asset: str) -> None:
        """Read the grant again at the next request."""
        self._source.refresh()
        self._drop(asset)

    def forget_all(self) -> None:
        """The same for every grant."""
        self._source.refresh()
        with self._lock:
            self._known.clear()

    @property
    def size(self) -> int:
        """Grants in memory."""
        return len(self._known)

    def _drop(self, asset: str) -> None:
        with self._lock:
            self._known.pop(asset, None)


def _unreadable() -> GrantUnavailable:
    return GrantUnavailable("grant-unreadable", "the delivery document cannot be read")
