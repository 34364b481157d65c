"""Finished pictures: a bounded memory in front of a bounded folder.

Nothing here decides whether a picture may be shown; that is asked anew on every request.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomically

logger = logging.getLogger("edge")

_DIGEST_BYTES = 32
_PRUNE_EVERY = 64  # writes


@dataclass(frozen=True)
class Picture:
    """Bytes to send; the tag is strong because it is made from them."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> Picture:
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


class PictureCache:
    """By asset and key. A folder that cannot be written only makes the edge slower."""

    def __init__(self, folder: Path, memory_bytes: int, folder_bytes: int) -> None:
        self._folder = folder
        self._memory_bytes, self._folder_bytes = memory_bytes, folder_bytes
        self._memory: OrderedDict[tuple[str, str], Picture] = OrderedDict()
        self._size = 0
        self._writes = 0
        self._lock = threading.Lock()

    def get(self, asset: str, key: str) -> Picture | None:
        with self._lock:
            picture = self._memory.get((asset, key))
            if picture is not None:
                self._memory.move_to_end((asset, key))
                return picture
        picture = self._load(asset, key)
        if picture is not None:
            self._remember(asset, key, picture)
        return picture

    def put(self, asset: str, key: str, picture: Picture) -> None:
        self._remember(asset, key, picture)
        digest = hashlib.sha256(picture.body).digest()
        try:
            write_atomically(self._path(asset, key), digest + picture.body)
        except OSError as error:
            logger.warning("a picture is not cached on disk: %s", error)
            return
        with self._lock:
            self._writes += 1
            due = self._writes % _PRUNE_EVERY == 1
        if due:
            self.prune()

    def drop(self, asset: str) -> None:
        """Forget all pictures of an asset, in memory and on disk."""
        with self._lock:
            for name in [name for name in self._memory if name[0] == asset]:
                self._size -= len(self._memory.pop(name).body)
        shutil.rmtree(self._folder / asset[:2] / asset, ignore_errors=True)

    def prune(self) -> None:
        """Delete the oldest files until the folder is within its limit."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*/*/*"):
            try:
                state = path.stat()
            except OSError:
                continue
            found.append((state.st_mtime, state.st_size, path))
        total = sum(size for _time, size, _path in found)
        for _time, size, path in sorted(found):
            if total <= self._folder_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _remember(self, asset: str, key: str, picture: Picture) -> None:
        if len(picture.body) > self._memory_bytes:
            return
        with self._lock:
            old = self._memory.pop((asset, key), None)
            self._size -= len(old.body) if old else 0
            self._memory[asset, key] = picture
            self._size += len(picture.body)
            while self._size > self._memory_bytes:
                self._size -= len(self._memory.popitem(last=False)[1].body)

    def _load(self, asset: str, key: str) -> Picture | None:
        path = self._path(asset, key)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        body = data[_DIGEST_BYTES:]
        if not body or hashlib.sha256(body).digest() != data[:_DIGEST_BYTES]:
            path.unlink(missing_ok=True)
            return None
        return Picture.of(body)

    def _path(self, asset: str, key: str) -> Path:
        return self._folder / asset[:2] / asset / key
