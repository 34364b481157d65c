"""glibc's allocator as decoders and encoders need it: large blocks go back at once.

By default it keeps an arena per core and thread, and learns from the first picture to keep
blocks of its size for ever; a worker then grows to several times what it uses. Giving back each
free megabyte would cost a tenth of every picture: the system has to empty the pages again.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

#: Parameters of mallopt(3), with the variable of the environment that would set them.
_SETTINGS: Final = (
    (-8, "MALLOC_ARENA_MAX", 2),
    (-3, "MALLOC_MMAP_THRESHOLD_", 1024 * 1024),  # fixes it, too
    (-1, "MALLOC_TRIM_THRESHOLD_", 8 * 1024 * 1024),
)


def restrain() -> bool:
    """Set it for this process, where the environment does not say otherwise.

    False where there is no glibc: other allocators need nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    free = [(number, value) for number, name, value in _SETTINGS if name not in os.environ]
    return all(mallopt(number, value) == 1 for number, value in free)


def give_back() -> None:
    """Return what is free inside the arenas as well."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return
