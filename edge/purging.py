"""Purges: orders that all processes of an edge carry out, told to each other by a journal."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.exceptions import BadRequest
from imagepipe.grants import InvalidDocument
from imagepipe.grants.orders import PurgeOrder

LONGEST_BODY: Final = 256 * 1024
_LARGEST: Final = 1024 * 1024


class PurgeJournal:
    """Orders of the last time, one JSON line each. A reader starts at the end."""

    def __init__(self, path: Path, carry_out: Callable[[PurgeOrder], None]) -> None:
        self._path, self._carry_out = path, carry_out
        self._place = self._end()

    def add(self, order: PurgeOrder) -> None:
        """Tell every process; a journal that has grown long begins anew."""
        with open(self._path.with_suffix(".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._end()[1] > _LARGEST:
                descriptor, name = tempfile.mkstemp(dir=self._path.parent)
                os.close(descriptor)
                os.replace(name, self._path)
            with open(self._path, "ab") as file:
                file.write(order.to_json() + b"\n")

    def follow(self) -> int:
        """Carry out what came since the last look; return how many orders that were."""
        inode, position = self._place
        if self._end() == self._place:
            return 0
        with open(self._path, "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != inode or status.st_size < position:
                position = 0
            file.seek(position)
            lines = file.read().split(b"\n")
            self._place = status.st_ino, file.tell() - len(lines[-1])
        for line in lines[:-1]:
            self._carry_out(PurgeOrder.from_json(line))
        return len(lines) - 1

    def _end(self) -> tuple[int, int]:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return 0, 0
        return status.st_ino, status.st_size


def read_order(body: bytes) -> PurgeOrder:
    """Raises BadRequest (400)."""
    try:
        return PurgeOrder.from_json(body)
    except InvalidDocument as error:
        raise BadRequest(400, "order", str(error)) from None


def resolve(
    order: PurgeOrder, tags_of: Callable[[str], tuple[str, ...]], assets: set[str]
) -> PurgeOrder:
    """The same order with the assets that carry one of its tags instead of the tags."""
    wanted = set(order.tags)
    tagged = {asset for asset in assets if wanted & {*tags_of(asset), f"asset-{asset}"}}
    named = {tag[6:] for tag in wanted if tag.startswith("asset-") and len(tag) == 38}
    return PurgeOrder(
        tuple(sorted({*order.assets, *tagged, *named})), order.versions, (), order.everything
    )


def told(order: PurgeOrder) -> dict[str, object]:
    """What was done, for people and for the confirmation."""
    return {
        "status": "purged",
        "assets": len(order.assets),
        "versions": len(order.versions),
        "all": order.everything,
    }
