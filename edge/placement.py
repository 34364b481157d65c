"""Pictures placed for nginx under their own address, where existence proves the signature.

    pictures/<key>/<signature>/<transform>/<asset>.<version>/<slug>.<extension>
    pictures/...<slug>.<extension>.c2pa/<pair>     its sidecar, where it has one
    index/<asset[:2]>/<asset>/<key>.<signature>   until when, and the path above
    keys.json                                     keys whose pictures may be placed
    open -> pictures                              what nginx reads, while the edge is well

Only answers that everybody gets are placed. A placed picture goes when its grant changes, when
its time is over, when its key is revoked, and the link goes when the edge stops. A sidecar is
there before its picture and goes after it. The time of a placed picture's file is no time: it
stands for the content, so that nginx' ETag is the name of the sidecar (see edge.sidecars).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.cache import Picture
from edge.sidecars import stamp_of
from imagepipe.urlspec import Keyring

logger = logging.getLogger("edge.placement")

#: A picture that must go sooner than this is not placed; the sweep has that long.
MARGIN: Final = 150
ABANDONED: Final = 3600
#: What earlier programs placed in another way goes at the start, when this word is another.
_LAYOUT: Final = "placement 2"

NOTHING: Final = Picture.of(b"")


@dataclass(frozen=True, slots=True)
class Placement:
    """One picture to place: its whole address and the moment it must be gone (Unix seconds)."""

    address: str
    asset: str
    version: str
    until: int
    picture: Picture = NOTHING


class Shelf:
    """The folder that nginx serves from; shared by all processes of an edge."""

    def __init__(self, root: Path, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._root = root
        self._pictures, self._index = root / "pictures", root / "index"
        self._new, self._link, self._keys = root / "new", root / "open", root / "keys.json"
        for folder in (self._pictures, self._index, self._new):
            folder.mkdir(parents=True, exist_ok=True)
        os.chmod(root, 0o755)  # noqa: S103 another user's nginx reads it

    def allow(self, keyring: Keyring) -> None:
        """Remove the pictures of keys that are gone or were replaced under the same id."""
        known = self._allowed()
        wanted = {kid: keyring.signature(kid, _LAYOUT) for kid in keyring.ids}
        self._write(self._keys, json.dumps(wanted).encode())
        for folder in list(self._pictures.iterdir()):
            if known.get(folder.name) != wanted.get(folder.name, "-"):
                trash = Path(tempfile.mkdtemp(dir=self._new, prefix=".trash-"))
                os.replace(folder, trash / folder.name)
                shutil.rmtree(trash, ignore_errors=True)

    def open(self) -> None:
        """Let nginx read."""
        if not self._link.is_symlink():
            with contextlib.suppress(FileExistsError):
                os.symlink("pictures", self._link)

    def close(self) -> None:
        """Keep nginx from reading: nobody would take back what must not be shown."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._link)

    def place(self, item: Placement, is_still_right: Callable[[], bool]) -> bool:
        """Place a picture unless its key or its grant says otherwise, now or afterwards.

        A full disk is logged and costs only speed.
        """
        _, kid, signature, rest = item.address.split("/", 3)
        if kid not in self._allowed() or not is_still_right():
            return False
        target = self._pictures / kid / signature / rest
        entry = self._entry(item.asset, kid, signature)
        try:
            self._write(
                entry, f"{item.until}\n{item.version}\n{kid}/{signature}/{rest}".encode()
            )
            if item.picture.pair:
                self._write(_beside(target) / item.picture.pair, item.picture.sidecar)
            stamp = stamp_of(item.picture.sha256, has_sidecar=bool(item.picture.pair))
            self._write(target, item.picture.body, stamp)
            self._keep_only(item.picture.pair, _beside(target))
        except OSError as error:
            logger.warning("a picture was not placed: %s", error.strerror)
            self._take(entry)
            return False
        if kid in self._allowed() and is_still_right():
            return True
        self._take(entry)
        return False

    def purge(self, asset: str, keep: frozenset[str] = frozenset()) -> None:
        """Take back an asset's pictures, except those of the named versions."""
        for entry in _entries(self._index / asset[:2] / asset):
            read = _read(entry)
            if read is None or read[1] not in keep:
                self._take(entry)

    def review(self, asset: str, is_right: Callable[[Placement], bool]) -> None:
        """Take back what may no longer be shown of an asset."""
        for entry in _entries(self._index / asset[:2] / asset):
            read = _read(entry)
            if read is None:
                continue
            item = Placement(f"/{read[2]}", asset, read[1], read[0])
            if not is_right(item):
                self._take(entry)

    def clear(self) -> None:
        """Take back everything."""
        for asset in self.assets():
            self.purge(asset)

    def assets(self) -> Iterator[str]:
        """Every asset that has something placed."""
        for group in _entries(self._index):
            yield from (folder.name for folder in _entries(group))

    def sweep(self) -> None:
        """Take back what must go soon, the oldest past the limit, and what crashes left."""
        now = time.time()
        found = []
        for asset in list(self.assets()):
            for entry in _entries(self._index / asset[:2] / asset):
                read = _read(entry)
                if read is None or read[0] <= now + MARGIN:
                    self._take(entry)
                    continue
                with contextlib.suppress(OSError):
                    placed = self._pictures / read[2]
                    files = placed, *_entries(_beside(placed))
                    size = sum(file.stat().st_size for file in files)
                    found.append((entry.stat().st_mtime_ns, size, entry))
        total = sum(size for _, size, _ in found)
        for _, size, entry in sorted(found):
            if total <= self._most_bytes:
                break
            self._take(entry)
            total -= size
        for left in _entries(self._new):
            with contextlib.suppress(OSError):
                if time.time() - left.lstat().st_ctime > ABANDONED:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()

    def _take(self, entry: Path) -> None:
        """The picture first, so that a crash leaves at most an entry without one."""
        read = _read(entry)
        if read is not None:
            placed = self._pictures / read[2]
            _unlink(placed, self._pictures)
            self._keep_only("", _beside(placed))
        _unlink(entry, self._index)

    def _keep_only(self, pair: str, folder: Path) -> None:
        """Take back sidecars of other bytes than these."""
        for sidecar in _entries(folder):
            if sidecar.name != pair:
                _unlink(sidecar, self._pictures)

    def _entry(self, asset: str, kid: str, signature: str) -> Path:
        return self._index / asset[:2] / asset / f"{kid}.{signature}"

    def _allowed(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._keys.read_bytes()))
        except (OSError, ValueError):
            return {}

    def _write(self, path: Path, data: bytes, stamp: int | None = None) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self._new)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            if stamp is not None:
                os.utime(temporary, (stamp, stamp))
            for _ in range(3):  # somebody may be tidying empty folders away
                path.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    os.replace(temporary, path)
                    return
            raise FileNotFoundError(2, "the folder vanished", str(path))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _beside(placed: Path) -> Path:
    """The folder of a placed picture's sidecar."""
    return placed.with_name(f"{placed.name}.c2pa")


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(entry: Path) -> tuple[int, str, str] | None:
    try:
        until, version, path = entry.read_text("ascii").split("\n")
        return int(until), version, path
    except (OSError, ValueError):
        return None


def _unlink(path: Path, root: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
    for folder in path.parents:
        if folder == root:
            return
        try:
            folder.rmdir()
        except OSError:
            return
