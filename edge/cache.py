"""Finished pictures: a few in memory, many on disk. Both may be lost at any time."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

logger = logging.getLogger("edge.cache")

_MAGIC: Final = b"imagepipe rendition 1\n"
_HEADER: Final = len(_MAGIC) + 32
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
    """Encoded bytes and their SHA-256 (hex), which is also the strong ETag."""

    body: bytes
    sha256: str

    @classmethod
    def of(cls, body: bytes) -> Picture:
        """Hash the bytes."""
        return cls(body, hashlib.sha256(body).hexdigest())


class MemoryCache:
    """Least recently used pictures, bounded by bytes. Safe for use by several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pictures: OrderedDict[CacheKey, Picture] = OrderedDict()
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
        size = len(picture.body)
        if size > min(MEMORY_ITEM, self._most_bytes):
            return
        with self._lock:
            old = self._pictures.pop(key, None)
            self._bytes += size - (len(old.body) if old else 0)
            self._pictures[key] = picture
            while self._bytes > self._most_bytes:
                _, oldest = self._pictures.popitem(last=False)
                self._bytes -= len(oldest.body)

    @property
    def bytes_held(self) -> int:
        """Bytes of the pictures kept."""
        return self._bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._pictures.clear()
            self._bytes = 0

    def purge(self, asset: str) -> None:
        """Forget everything of an asset."""
        with self._lock:
            for key in [key for key in self._pictures if key.asset == asset]:
                self._bytes -= len(self._pictures.pop(key).body)


class DiskCache:
    """Pictures as files with their hash in front: a torn or rotten file is never served."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: CacheKey) -> Picture | None:
        """The picture, if it is here and whole."""
        return _read(self._path(key))

    def get_similar(self, key: CacheKey, digits: int) -> Picture | None:
        """The newest whole picture of the same version whose digest begins alike."""
        folder = self._folder / key.asset[:2] / key.asset
        prefix = f"{key.version}-{key.digest[:digits]}"
        found = []
        for entry in _scan(folder):
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    found.append((entry.stat().st_mtime_ns, entry.path))
        for _, path in sorted(found, reverse=True):
            picture = _read(Path(path))
            if picture is not None:
                return picture
        return None

    def put(self, key: CacheKey, picture: Picture) -> None:
        """Store atomically; a full or broken disk is logged and costs only speed."""
        path = self._path(key)
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + bytes.fromhex(picture.sha256))
                file.write(picture.body)
            os.replace(temporary, path)
        except OSError as error:
            logger.warning("a picture was not cached on disk: %s", error.strerror)
            if temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)

    def purge(self, asset: str, keep: frozenset[str] = frozenset()) -> None:
        """Delete an asset's files, except those of the named versions (16 hex digits)."""
        with contextlib.suppress(FileNotFoundError):
            for entry in list(os.scandir(self._folder / asset[:2] / asset)):
                if entry.name.partition("-")[0] not in keep:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)

    def remove(self, key: CacheKey) -> None:
        """Delete one picture, if it is here."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def has(self, key: CacheKey) -> bool:
        """Whether there is a file, whole or not."""
        return self._path(key).exists()

    def assets(self) -> Iterator[str]:
        """Every asset of which something is here."""
        for group in _scan(self._folder):
            yield from (entry.name for entry in _scan(Path(group.path)))

    def versions(self, asset: str) -> set[str]:
        """The versions of an asset of which something is here."""
        folder = self._folder / asset[:2] / asset
        return {entry.name.partition("-")[0] for entry in _scan(folder)} - {".new"}

    def clear(self) -> None:
        """Delete everything."""
        for asset in list(self.assets()):
            self.purge(asset)

    def tidy(self) -> None:
        """Delete what was not used for longest, until a tenth of the room is free."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        if total <= self._most_bytes:
            return
        for _, size, path in files:
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
            if total <= self._most_bytes * 0.9:
                return

    def _files(self) -> Iterator[tuple[int, int, str]]:
        for root, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(root, name)
                with contextlib.suppress(OSError):
                    status = os.stat(path)
                    yield status.st_mtime_ns, status.st_size, path

    def _path(self, key: CacheKey) -> Path:
        name = f"{key.version}-{key.digest[:40]}"
        return self._folder / key.asset[:2] / key.asset / name


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(path: Path) -> Picture | None:
    try:
        data = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    picture = Picture.of(data[_HEADER:])
    if data[:_HEADER] != _MAGIC + bytes.fromhex(picture.sha256):
        logger.warning("removing a damaged file from the cache: %s", path.name)
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return picture
