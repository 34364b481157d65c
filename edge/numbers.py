"""prometheus-client, with room on disk for what the processes count together.

It maps its files into memory. Where such a file has holes and the disk is full, writing to
one kills the process, so they are written whole before; a process that finds no room counts
for itself only. Import prometheus_client from here, so that this is done first.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

from edge.config import METRICS_FOLDER

logger = logging.getLogger("edge.metrics")

#: One file per kind of number, as `edge.metrics` has them, and its size: more than all labels
#: that there are take together.
_KINDS: Final = ("counter", "histogram", "gauge_livesum", "gauge_livemin")
_ROOM: Final = 256 * 1024


def reserve(folder: Path) -> bool:
    """Write this process's files whole; False if there is no room for them."""
    files = [folder / f"{kind}_{os.getpid()}.db" for kind in _KINDS]
    try:
        for file in files:
            if file.exists():  # of a process that had the same number
                continue
            with open(file, "wb") as opened:
                opened.write(bytes(_ROOM))
                opened.flush()
                os.fsync(opened.fileno())
    except OSError as error:
        for file in files:
            with contextlib.suppress(OSError):
                file.unlink()
        logger.warning("this process counts for itself only: %s", error.strerror)
        return False
    return True


if os.environ.get(METRICS_FOLDER) and not reserve(Path(os.environ[METRICS_FOLDER])):
    del os.environ[METRICS_FOLDER]

import prometheus_client  # noqa: E402
from prometheus_client import multiprocess  # noqa: E402

__all__ = ["multiprocess", "prometheus_client"]
