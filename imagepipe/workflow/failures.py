"""What a failure means: whether another attempt may succeed, and when it is made."""

from __future__ import annotations

import hashlib

from django.db import InterfaceError, OperationalError

from imagepipe.conf import get_settings
from imagepipe.workflow.models import ErrorClass

LONGEST_PAUSE = 900.0
"""Seconds."""
PASSING = (ConnectionError, TimeoutError, MemoryError, OperationalError, InterfaceError)


def classify(error: BaseException) -> ErrorClass:
    """``RETRYABLE`` when the same may succeed later without anybody changing anything.

    An error says so with ``retryable = True``.
    """
    if getattr(error, "retryable", isinstance(error, PASSING)):
        return ErrorClass.RETRYABLE
    return ErrorClass.TERMINAL


def pause_before(attempt: int, key: str, error: BaseException | None = None) -> float:
    """Return the seconds to wait before ``attempt`` (2 is the second).

    Doubled each time, and spread by up to a fifth so that not all come back at once; the
    same run always waits equally long. Never shorter than an engine asked for with the
    ``retry_after`` of its ``error``.
    """
    asked_for = getattr(error, "retry_after", None) or 0.0
    spread = int.from_bytes(hashlib.sha256(f"{key}/{attempt}".encode()).digest()[:2], "big")
    pause = get_settings().RETRY_SECONDS * 2 ** max(0, min(attempt, 20) - 2)
    return max(asked_for, min(LONGEST_PAUSE, pause) * (0.9 + 0.2 * spread / 0xFFFF))
