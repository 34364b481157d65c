"""Reading the delivery folder. Nothing in it is trusted: names, sizes, hashes are checked."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
from collections import OrderedDict
from pathlib import Path

from imagepipe.grants import GrantedVersion, master_path, parent_path

LARGEST_PARENT = 16 * 1024 * 1024 + 64  # bytes
_COMPONENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_MOST_VERIFIED = 10_000

Identity = tuple[int, int, int]


class StorageError(OSError):
    """The storage, or a file in it, cannot be read."""


class NoSuchFile(StorageError):
    """The storage is there and has no such file."""


class TooLarge(StorageError):
    """The file is larger than the caller allows."""


class DamagedMaster(StorageError):
    """A master's bytes are not those that its grant names."""


class DeliveryFolder:
    """The folder to which the publisher writes grants, feeds, masters and parents."""

    def __init__(self, root: Path, master_bytes: int) -> None:
        self._root = Path(root)
        self._master_bytes = master_bytes
        self._verified: OrderedDict[str, Identity] = OrderedDict()
        self._lock = threading.Lock()

    def is_there(self) -> bool:
        return self._root.is_dir()

    def identity(self, name: str) -> Identity | None:
        """Changes whenever the file is replaced; None without one. Raises StorageError."""
        try:
            return _identity(os.stat(self._path(name), follow_symlinks=False))
        except FileNotFoundError:
            self._require_root()
            return None
        except OSError as error:
            raise StorageError(f"{name} cannot be read") from error

    def read(self, name: str, most: int) -> bytes:
        """The whole file. Raises NoSuchFile, TooLarge or StorageError."""
        return self._read(name, most)[0]

    def master(self, version: GrantedVersion) -> bytes:
        """The master's bytes; hashed the first time and whenever the file has changed."""
        data, identity = self._read(master_path(version.sha256), self._master_bytes)
        with self._lock:
            if self._verified.get(version.sha256) == identity:
                self._verified.move_to_end(version.sha256)
                return data
        if len(data) != version.bytes or hashlib.sha256(data).hexdigest() != version.sha256:
            raise DamagedMaster(f"master {version.sha256[:16]} is damaged")
        with self._lock:
            self._verified[version.sha256] = identity
            if len(self._verified) > _MOST_VERIFIED:
                self._verified.popitem(last=False)
        return data

    def parent(self, sha256: str) -> bytes | None:
        """The master's prepared parent credential, if the publisher has left one."""
        try:
            return self.read(parent_path(sha256), LARGEST_PARENT)
        except NoSuchFile:
            return None

    def _read(self, name: str, most: int) -> tuple[bytes, Identity]:
        path = self._path(name)
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode):
                    raise StorageError(f"{name} is not a file")
                if found.st_size > most:
                    raise TooLarge(f"{name} is larger than {most} bytes")
                data = file.read(most + 1)
        except FileNotFoundError:
            self._require_root()
            raise NoSuchFile(f"{name} is not in the delivery storage") from None
        except StorageError:
            raise
        except OSError as error:
            raise StorageError(f"{name} cannot be read") from error
        if len(data) > most:
            raise TooLarge(f"{name} is larger than {most} bytes")
        return data, _identity(found)

    def _require_root(self) -> None:
        # An unmounted storage must not look like one from which everything was deleted.
        if not self.is_there():
            raise StorageError("the delivery storage is not there")

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not all(_COMPONENT.fullmatch(part) for part in parts):
            raise StorageError("not a name in the delivery storage")
        return self._root.joinpath(*parts)


def _identity(found: os.stat_result) -> Identity:
    return found.st_ino, found.st_size, found.st_mtime_ns
