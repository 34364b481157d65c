"""Finished answers under the raw address that was asked for: no signature is computed twice.

An address that once verified stays verified, so a hit is a dictionary look-up. What may be
shown is still the grant's word: `current` is asked every `recheck` seconds, and an answer is
forgotten when its grant is another one or its time is over. Asking each time would cost more
than it seems: a system call lets go of the interpreter's lock, and the next thread takes it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edge.negotiation import NEGOTIATED, is_negotiated
from edge.responses import Headers, Response

LARGEST: Final = 512 * 1024

Key = tuple[str, ...]


@dataclass(slots=True)
class Hit:
    """A whole answer with its length, and how long it may be repeated (Unix seconds)."""

    response: Response
    headers: Headers
    status_line: str
    chunks: list[bytes]
    asset: str
    until: float
    grant: object
    checked: float
    count: int = 0
    used: bool = False


def key_of(path: str, environ: Mapping[str, Any]) -> Key:
    """What an answer depends on besides the grant."""
    if not is_negotiated(path):
        return (path,)
    return (path, *(environ.get(name, "") for name in NEGOTIATED))


class HitCache:
    """Bounded by bytes; what was not asked for since the last round is forgotten first.

    Readers take no lock. `current` gives the grant as it is now, or None.
    """

    def __init__(
        self, most_bytes: int, current: Callable[[str], object | None], recheck: float = 0
    ) -> None:
        self._most_bytes = most_bytes
        self._recheck = recheck
        self._current = current
        self._bytes = 0
        self._hits: dict[Key, Hit] = {}
        self._keys: defaultdict[str, set[Key]] = defaultdict(set)
        self._epochs: dict[str, int] = {}
        self._lock = threading.Lock()

    def find(self, key: Key, now: float) -> Hit | None:
        """The answer, if it may still be given."""
        hit = self._hits.get(key)
        if hit is None:
            return None
        if now >= hit.until or not 0 <= now - hit.checked < self._recheck:
            if now >= hit.until or self._current(hit.asset) is not hit.grant:
                self.drop(hit.asset)
                return None
            hit.checked = now
        hit.used = True
        return hit

    def epoch(self, asset: str) -> int:
        """Changes whenever the asset is dropped; read it before the answer is made."""
        return self._epochs.get(asset, 0)

    def keep(self, key: Key, response: Response, now: float, epoch: int) -> None:
        """Remember a whole answer, if its terms allow it and nothing changed since `epoch`."""
        if response.terms is None:
            return
        until, grant = response.terms.until, response.terms.grant
        asset = response.note["asset"]
        size = _size(key, response)
        if len(response.body) > LARGEST or size > self._most_bytes or until <= now:
            return
        headers = [*response.headers, ("Content-Length", str(len(response.body)))]
        hit = Hit(
            response, headers, response.status_line, [response.body], asset, until, grant, now
        )
        with self._lock:
            if self._epochs.get(asset, 0) != epoch:
                return
            self._forget(key)
            self._hits[key] = hit
            self._keys[asset].add(key)
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._evict()

    def drop(self, asset: str) -> None:
        """Forget all answers of an asset."""
        with self._lock:
            self._epochs[asset] = self._epochs.get(asset, 0) + 1
            for key in list(self._keys.get(asset, ())):
                self._forget(key)

    def clear(self) -> None:
        """Forget everything."""
        for asset in list(self._keys):
            self.drop(asset)

    def take_counts(self) -> list[tuple[Response, int]]:
        """Hits per answer since the last call, for the metrics."""
        counts = []
        for hit in list(self._hits.values()):
            count, hit.count = hit.count, 0
            if count:
                counts.append((hit.response, count))
        return counts

    @property
    def bytes_held(self) -> int:
        """Bytes of the answers kept."""
        return self._bytes

    def _evict(self) -> None:
        key, hit = next(iter(self._hits.items()))
        if hit.used and len(self._hits) > 1:
            hit.used = False
            self._hits[key] = self._hits.pop(key)
        else:
            self._forget(key)

    def _forget(self, key: Key) -> None:
        hit = self._hits.pop(key, None)
        if hit is not None:
            self._bytes -= _size(key, hit.response)
            keys = self._keys[hit.asset]
            keys.discard(key)
            if not keys:
                del self._keys[hit.asset]


def _size(key: Key, response: Response) -> int:
    return len(response.body) + sum(map(len, key)) + 2048
