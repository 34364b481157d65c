"""Reading the delivery storage, by names that this code builds itself: base and folder."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from edge.exceptions import SourceUnusable
from imagepipe.grants import GrantedVersion, master_path, parent_path

_COMPONENT = re.compile(r"[a-z0-9][a-z0-9.]{0,80}")
LARGEST_DOCUMENT: Final = 2 * 1024 * 1024
LARGEST_PARENT: Final = 16 * 1024 * 1024

Stamp = tuple[int, int, int]


class Source(ABC):
    """A delivery storage: documents and masters by names that are built, never taken over."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._verified: dict[str, Stamp] = {}
        self._lock = threading.Lock()

    @abstractmethod
    def is_readable(self) -> bool:
        """Whether the storage answers."""

    @abstractmethod
    def refresh(self) -> None:
        """Forget what is remembered of the state of files."""

    @abstractmethod
    def stamp(self, name: str) -> Stamp | None:
        """What changes when the file changes; None when there is none. Raises OSError."""

    @abstractmethod
    def read(self, name: str, limit: int = LARGEST_DOCUMENT) -> tuple[bytes, Stamp]:
        """A whole file and its stamp. Raises FileNotFoundError, OSError, ValueError."""

    def master(self, version: GrantedVersion) -> bytes:
        """A master's bytes, as granted: length each time, content hash on first load.

        Raises SourceUnusable.
        """
        if version.bytes > self._max_bytes:
            raise SourceUnusable(422, "source-too-large", "the master is larger than allowed")
        try:
            data, stamp = self.read(master_path(version.sha256), self._max_bytes)
        except FileNotFoundError:
            raise SourceUnusable(
                503, "source-missing", "the master has not arrived yet", retry_after=10
            ) from None
        except (OSError, ValueError):
            raise SourceUnusable(502, "source-damaged", "the master cannot be read") from None
        if len(data) != version.bytes:
            raise SourceUnusable(502, "source-damaged", "the master is not complete")
        self._verify(version.sha256, data, stamp)
        return data

    def parent(self, version: GrantedVersion) -> bytes | None:
        """The prepared parent credential of a master, if one was published."""
        try:
            return self.read(parent_path(version.sha256), LARGEST_PARENT)[0]
        except FileNotFoundError:
            return None

    def _verify(self, sha256: str, data: bytes, stamp: Stamp) -> None:
        if self._verified.get(sha256) == stamp:
            return
        if hashlib.sha256(data).hexdigest() != sha256:
            raise SourceUnusable(502, "source-damaged", "the master is not the one published")
        with self._lock:
            if len(self._verified) > 50_000:
                self._verified.clear()
            self._verified[sha256] = stamp


class FolderSource(Source):
    """A delivery storage that is a folder. Nothing outside it is ever opened."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._root = root
        self._paths: dict[str, str] = {}

    def is_readable(self) -> bool:
        return self._root.is_dir() and os.access(self._root, os.R_OK | os.X_OK)

    def refresh(self) -> None:
        """Nothing is remembered: files are looked at each time."""

    def stamp(self, name: str) -> Stamp | None:
        try:
            path = self._paths.get(name) or self._remember(name)
            return _stamp(os.stat(path, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def read(self, name: str, limit: int = LARGEST_DOCUMENT) -> tuple[bytes, Stamp]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(self._path(name), flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{name} is not a regular file")
            if status.st_size > limit:
                raise ValueError(f"{name} has more than {limit} bytes")
            # Room for the whole limit would be asked of the system, and given back, each time.
            return file.read(status.st_size + 1), _stamp(status)

    def _remember(self, name: str) -> str:
        path = str(self._path(name))
        if len(self._paths) > 50_000:
            self._paths.clear()
        self._paths[name] = path
        return path

    def _path(self, name: str) -> Path:
        return self._root.joinpath(*parts_of(name))


def parts_of(name: str) -> list[str]:
    """The components of a name. Raises ValueError for one that could lead elsewhere."""
    parts = name.split("/")
    if not all(_COMPONENT.fullmatch(part) for part in parts):
        raise ValueError("the name is not one of the delivery storage")
    return parts


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino
