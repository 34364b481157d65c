"""W3C trace context: the id under which a request is found again in every log."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace id of 32 hex digits, and the caller's span (16) if there was one."""

    trace_id: str
    parent: str = ""


def trace_of(traceparent: str) -> Trace:
    """The caller's trace, or a new one for anything that is not of the form."""
    match = _TRACEPARENT.fullmatch(traceparent) if len(traceparent) <= 200 else None
    if match is None or traceparent.startswith("ff") or not match[1].strip("0"):
        return Trace(secrets.token_hex(16))
    return Trace(match[1], match[2])
