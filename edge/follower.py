"""Grants as the edge knows them: read when asked for, read again when the feed names them."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.sequences import SequenceFile
from edge.storage import DeliveryFolder, Identity, NoSuchFile, StorageError
from imagepipe.grants import (
    SHARDS,
    DocumentError,
    FeedDocument,
    Grant,
    InvalidDocument,
    RolledBack,
    changes_since,
    feed_path,
    grant_path,
    shard_of,
    unseal,
)
from imagepipe.grants.documents import LARGEST_DOCUMENT

logger = logging.getLogger("edge")

MOST_GRANTS = 20_000


class NoGrant(Exception):
    """There is no such asset."""


class UnusableGrant(Exception):
    """The grant cannot be read or trusted; `reason` is a stable word for the answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class _Known:
    grant: Grant
    read_at: float


class Follower:
    """Grants by asset, kept current by polling the feed. Safe for several threads.

    `on_change` is called with an asset whenever the feed names it.
    """

    def __init__(
        self,
        folder: DeliveryFolder,
        public_keys: dict[str, Ed25519PublicKey],
        sequences: SequenceFile,
        *,
        poll: float,
        grant_age: float,
        on_change: Callable[[str], None] = lambda asset: None,
    ) -> None:
        self._folder, self._keys, self._sequences = folder, public_keys, sequences
        self._poll, self._grant_age, self._on_change = poll, grant_age, on_change
        self._grants: OrderedDict[str, _Known] = OrderedDict()
        self._outdated: set[str] = set()
        self._handled: dict[int, int] = {}
        self._identities: dict[int, Identity | None] = {}
        self._lock, self._polling = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._polled_at: float | None = None

    def grant(self, asset: str) -> Grant:
        """The current grant. Raises NoGrant or UnusableGrant."""
        with self._lock:
            known = self._grants.get(asset)
            fresh = (
                known is not None
                and asset not in self._outdated
                and known.grant.sequence >= self._expected(asset)
                and time.monotonic() - known.read_at < self._grant_age
            )
            if known is not None and fresh:
                self._grants.move_to_end(asset)
                return known.grant
            # Taken away before reading: a change announced meanwhile marks it anew.
            self._outdated.discard(asset)
        try:
            grant = self._read(asset)
        except NoSuchFile:
            self._forget(asset)
            raise NoGrant(asset) from None
        except StorageError:
            with self._lock:
                self._outdated.add(asset)
            if known is None or known.grant.sequence < self._expected(asset):
                raise UnusableGrant("storage-unavailable") from None
            return known.grant  # until its own end, which `decide` watches
        except RolledBack:
            self._forget(asset)
            raise UnusableGrant("rolled-back-grant") from None
        except DocumentError as error:
            logger.warning("grant of %s refused: %s", asset, error)
            self._forget(asset)
            raise UnusableGrant("untrusted-grant") from None
        with self._lock:
            self._grants[asset] = _Known(grant, time.monotonic())
            self._grants.move_to_end(asset)
            if len(self._grants) > MOST_GRANTS:
                self._grants.popitem(last=False)
        return grant

    def poll(self) -> None:
        """Read what is new in the feed, once."""
        with self._polling:
            failed = [shard for shard in range(SHARDS) if not self._follow(shard)]
            if not failed:
                self._polled_at = time.monotonic()
            self._sequences.save()

    def is_current(self) -> bool:
        """Whether the whole feed was read lately."""
        limit = max(10.0, 5 * self._poll)
        return self._polled_at is not None and time.monotonic() - self._polled_at < limit

    def start(self) -> None:
        """Poll in a thread until `stop`."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.poll()
            except Exception:
                logger.exception("the feed could not be followed")
            self._stop.wait(self._poll)

    def _follow(self, shard: int) -> bool:
        name = feed_path(shard)
        try:
            identity = self._folder.identity(name)
            if shard in self._handled and identity == self._identities.get(shard):
                return True
            document = self._feed(shard) if identity else FeedDocument(shard)
        except (StorageError, DocumentError) as error:
            logger.warning("feed %d cannot be followed: %s", shard, error)
            self._doubt(shard)
            return False
        entries = changes_since(document, self._handled.get(shard))
        if entries is None:
            self._doubt(shard)
        for entry in document.entries if entries is None else entries:
            self._sequences.guard.expect(entry.asset, entry.grant_sequence)
            with self._lock:
                self._outdated.add(entry.asset)
            if entries is not None:
                self._on_change(entry.asset)
        self._handled[shard], self._identities[shard] = document.sequence, identity
        return True

    def _feed(self, shard: int) -> FeedDocument:
        data = self._folder.read(feed_path(shard), LARGEST_DOCUMENT)
        document = FeedDocument.from_dict(unseal(data, self._keys, "feed"))
        if document.shard != shard:
            raise InvalidDocument("the feed is that of another shard")
        return document

    def _read(self, asset: str) -> Grant:
        data = self._folder.read(grant_path(asset), LARGEST_DOCUMENT)
        grant = Grant.from_dict(unseal(data, self._keys, "grant"))
        if grant.asset != asset:
            raise InvalidDocument("the grant is that of another asset")
        self._sequences.guard.accepts(asset, grant.sequence)
        return grant

    def _expected(self, asset: str) -> int:
        return self._sequences.guard.highest(asset) or 0

    def _doubt(self, shard: int) -> None:
        """Read every grant of the shard again before it is used."""
        with self._lock:
            self._outdated.update(a for a in self._grants if shard_of(a) == shard)

    def _forget(self, asset: str) -> None:
        with self._lock:
            self._grants.pop(asset, None)
            self._outdated.discard(asset)
