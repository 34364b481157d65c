"""Finished pictures on disk, with their sidecars, for all processes of an edge."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.cache import CacheKey, Picture

logger = logging.getLogger("edge.cache")

_MAGIC: Final = b"imagepipe rendition 1\n"
_MAGIC_WITH_SIDECAR: Final = b"imagepipe rendition 2\n"
_HEADER: Final = len(_MAGIC) + 32
#: Seconds that a sidecar stays after its picture went; longer than first answers may be shown.
OUTLIVED: Final = 180
_BESIDE: Final = "-c2pa-"


class DiskCache:
    """Pictures as files with their hash in front: a torn or rotten file is never served.

    A picture and its sidecar are one file, written at once, which has a second name for those
    who ask for the sidecar. That name stays when the first bytes give way to settled ones, for
    those who still show them.
    """

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

    def find(self, asset: str, version: str, pair: str) -> Picture | None:
        """The picture of a version that has this sidecar."""
        picture = _read(self._beside(asset, version, pair))
        return picture if picture is not None and picture.pair == pair else None

    def put(self, key: CacheKey, picture: Picture) -> bool:
        """Store atomically; a full or broken disk is logged, told, and costs only speed."""
        path = self._path(key)
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_written(picture))
            if picture.pair:
                second = self._beside(key.asset, key.version, picture.pair)
                with contextlib.suppress(FileNotFoundError):
                    second.unlink()
                try:
                    os.link(temporary, second)
                except OSError:  # a file system without second names: a copy, checked like all
                    second.write_bytes(_written(picture))
            os.replace(temporary, path)
            return True
        except OSError as error:
            logger.warning("a picture was not cached on disk: %s", error.strerror)
            if temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
            return False

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
        """Delete what was not used for longest, until a tenth of the room is free.

        Sidecars that outlived their picture go first.
        """
        files = self._files()
        for identity, (_, _, paths) in list(files.items()):
            if all(_BESIDE in path for path in paths) and _is_past(paths[0]):
                _unlink(files.pop(identity)[2])
        total = sum(size for _, size, _ in files.values())
        if total <= self._most_bytes:
            return
        for _, size, paths in sorted(files.values()):
            _unlink(paths)
            total -= size
            if total <= self._most_bytes * 0.9:
                return

    def _files(self) -> dict[int, tuple[int, int, list[str]]]:
        """Time of use, size and names, by inode."""
        found: dict[int, tuple[int, int, list[str]]] = {}
        for root, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(root, name)
                with contextlib.suppress(OSError):
                    status = os.stat(path)
                    names_of: list[str] = []
                    new = status.st_mtime_ns, status.st_size, names_of
                    found.setdefault(status.st_ino, new)[2].append(path)
        return found

    def _beside(self, asset: str, version: str, pair: str) -> Path:
        return self._folder / asset[:2] / asset / f"{version}{_BESIDE}{pair}"

    def _path(self, key: CacheKey) -> Path:
        name = f"{key.version}-{key.digest[:40]}"
        return self._folder / key.asset[:2] / key.asset / name


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_past(path: str) -> bool:
    try:
        return time.time() - os.stat(path).st_ctime > OUTLIVED
    except OSError:
        return False


def _unlink(paths: list[str]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _written(picture: Picture) -> bytes:
    """Magic, SHA-256 of the rest, and the bytes; with a sidecar their length before them."""
    if not picture.sidecar:
        return _MAGIC + bytes.fromhex(picture.sha256) + picture.body
    rest = len(picture.body).to_bytes(8, "big") + picture.body + picture.sidecar
    return _MAGIC_WITH_SIDECAR + hashlib.sha256(rest).digest() + rest


def _read(path: Path) -> Picture | None:
    try:
        data = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    magic, rest = data[: len(_MAGIC)], data[_HEADER:]
    digest = hashlib.sha256(rest)
    if data[len(_MAGIC) : _HEADER] == digest.digest():
        if magic == _MAGIC:
            return Picture(rest, digest.hexdigest())
        if magic == _MAGIC_WITH_SIDECAR:
            end = 8 + int.from_bytes(rest[:8], "big")
            return Picture.of(rest[8:end], rest[end:])
    logger.warning("removing a damaged file from the cache: %s", path.name)
    with contextlib.suppress(OSError):
        path.unlink()
    return None
