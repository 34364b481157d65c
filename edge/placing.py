"""The thread that places finished pictures, so that no visitor waits for the disk."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from edge.placement import Placement, Shelf

logger = logging.getLogger("edge.placement")

MOST_WAITING = 256


class Placer:
    """Places in the order of arrival; when too many wait, a picture is placed another time."""

    def __init__(self, shelf: Shelf, is_right: Callable[[Placement], bool]) -> None:
        self._shelf, self._is_right = shelf, is_right
        self._waiting: queue.Queue[Placement | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="edge-placer", daemon=True)
        self._thread.start()

    def offer(self, item: Placement) -> None:
        """Place it soon, perhaps."""
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            return

    def stop(self) -> None:
        """Finish what waits and end the thread."""
        self._waiting.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            try:
                self._shelf.place(item, lambda picture=item: self._is_right(picture))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 the thread must outlive a broken disk
                logger.error("a picture was not placed: %s: %s", type(error).__name__, error)
