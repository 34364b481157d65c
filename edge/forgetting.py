"""What is forgotten when: one place for every kind of finished picture that this edge keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge.cache import MemoryCache
from edge.disk import DiskCache
from edge.exceptions import Refusal
from edge.grants import GrantBook
from edge.hits import HitCache
from edge.placement import Placement, Shelf
from imagepipe.grants import shard_of
from imagepipe.grants.orders import PurgeOrder


class Forgetter:
    """Takes finished pictures out of answers, memory, disk and nginx' folder."""

    def __init__(
        self,
        hits: HitCache,
        memory: MemoryCache,
        disks: tuple[DiskCache, ...],
        shelf: Shelf | None,
    ) -> None:
        self._hits, self._memory, self._disks, self._shelf = hits, memory, disks, shelf
        self._lock = threading.Lock()

    def changed(self, book: GrantBook, asset: str) -> None:
        """A grant changed: pictures of versions that are no longer published go everywhere.

        What nginx serves goes entirely, because only the grant knows markets and times.
        """
        keep: frozenset[str] = frozenset()
        self._hits.drop(asset)
        try:
            grant = book.get(asset)
            keep = frozenset(v.sha256[:16] for v in grant.versions if v.state == "published")
        except Refusal:
            pass
        self._memory.purge(asset)
        for disk in self._disks:
            disk.purge(asset, keep)
        if self._shelf is not None:
            self._shelf.purge(asset)

    def lost(self, shard: int, is_right: Callable[[Placement], bool]) -> None:
        """Nobody knows what changed in a shard: ask again about all that nginx serves of it."""
        if self._shelf is None:
            return
        for asset in list(self._shelf.assets()):
            if shard_of(asset) == shard:
                self._shelf.review(asset, is_right)

    def carry_out(self, order: PurgeOrder, book: GrantBook) -> None:
        """Forget what a resolved order names (its tags are not looked at). Repeatable."""
        with self._lock:
            if order.everything:
                self._everything(book)
            for asset in order.assets:
                book.forget(asset)
                self._one(asset)
            for name in order.versions:
                asset, _, version = name.partition(".")
                book.forget(asset)
                self._one(asset, version)

    def assets(self) -> set[str]:
        """Every asset of which something lies on disk."""
        found = {asset for disk in self._disks for asset in disk.assets()}
        if self._shelf is not None:
            found.update(self._shelf.assets())
        return found

    def _one(self, asset: str, version: str | None = None) -> None:
        self._hits.drop(asset)
        self._memory.purge(asset)
        for disk in self._disks:
            kept = set() if version is None else disk.versions(asset) - {version}
            disk.purge(asset, frozenset(kept))
        if self._shelf is not None:
            self._shelf.purge(asset)

    def _everything(self, book: GrantBook) -> None:
        book.forget_all()
        self._hits.clear()
        self._memory.clear()
        for disk in self._disks:
            disk.clear()
        if self._shelf is not None:
            self._shelf.clear()
