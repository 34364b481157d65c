"""Finished pictures, and a few of them in memory. They may be lost at any time."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from edge.sidecars import pair_of

MEMORY_ITEM: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Names one finished picture: its asset and version for purging, a digest of the rest.

    Of the digest's hex digits 16 stand for the pixels asked for, 12 for the marking and 12
    for the settings of the encoders; the rest is not kept on disk.
    """

    asset: str
    version: str
    digest: str


#: Digits of the digest that are equal for the same pixels, and with the same marking too.
SAME_PIXELS: Final = 16
SAME_MARKING: Final = 28


@dataclass(frozen=True, slots=True)
class Picture:
    """Encoded bytes and their SHA-256 (hex), which is also the strong ETag.

    `sidecar` is the credential of exactly these bytes, or empty where it is inside or missing.
    """

    body: bytes
    sha256: str
    sidecar: bytes = b""

    @classmethod
    def of(cls, body: bytes, sidecar: bytes = b"") -> Picture:
        """Hash the bytes."""
        return cls(body, hashlib.sha256(body).hexdigest(), sidecar)

    @property
    def pair(self) -> str:
        """The name of the sidecar; empty where there is none."""
        return pair_of(self.sha256, len(self.body)) if self.sidecar else ""

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.body) + len(self.sidecar)


class MemoryCache:
    """Least recently used pictures, bounded by bytes. Safe for use by several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pictures: OrderedDict[CacheKey, Picture] = OrderedDict()
        self._pairs: dict[tuple[str, str, str], CacheKey] = {}
        self._lock = threading.Lock()

    def get(self, key: CacheKey) -> Picture | None:
        """The picture, if it is here."""
        with self._lock:
            picture = self._pictures.get(key)
            if picture is not None:
                self._pictures.move_to_end(key)
            return picture

    def put(self, key: CacheKey, picture: Picture) -> None:
        """Keep a small picture; large ones stay on disk."""
        if picture.size > min(MEMORY_ITEM, self._most_bytes):
            return
        with self._lock:
            self._drop(key)
            self._bytes += picture.size
            self._pictures[key] = picture
            if picture.pair:
                self._pairs[key.asset, key.version, picture.pair] = key
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._pictures)))

    def find(self, asset: str, version: str, pair: str) -> Picture | None:
        """The picture of a version that has this sidecar."""
        with self._lock:
            key = self._pairs.get((asset, version, pair))
            return None if key is None else self._pictures[key]

    @property
    def bytes_held(self) -> int:
        """Bytes of the pictures kept."""
        return self._bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._pictures.clear()
            self._pairs.clear()
            self._bytes = 0

    def purge(self, asset: str) -> None:
        """Forget everything of an asset."""
        with self._lock:
            for key in [key for key in self._pictures if key.asset == asset]:
                self._drop(key)

    def _drop(self, key: CacheKey) -> None:
        picture = self._pictures.pop(key, None)
        if picture is not None:
            self._bytes -= picture.size
            pair = key.asset, key.version, picture.pair
            if self._pairs.get(pair) == key:
                del self._pairs[pair]
