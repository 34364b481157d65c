"""Conditional and range requests (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from edge.responses import Headers, Response
from imagepipe.urlspec.hints import NO_HINTS, Hints

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_ETAG = re.compile(r'\s*(?:W/)?("[^"]*")\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Ask:
    """The parts of a request that matter here."""

    path: str
    accept: str = ""
    if_none_match: str = ""
    range: str = ""
    if_range: str = ""
    market: str | None = None
    hints: Hints = NO_HINTS
    visitor: str = ""


def conditional(response: Response, ask: Ask, tag: str) -> Response:
    """304, a part of the picture, or the whole one."""
    if ask.if_none_match and is_match(ask.if_none_match, tag):
        kept = [pair for pair in response.headers if pair[0] != "Content-Type"]
        return replace(response, status=304, headers=kept, body=b"")
    size = len(response.body)
    if ask.range and ask.if_range in ("", tag):
        try:
            part = byte_range(ask.range, size)
        except ValueError:
            extra = [("Content-Range", f"bytes */{size}"), ("Content-Length", "0")]
            kept = [pair for pair in response.headers if pair[0] not in _NOT_WITH_416]
            return replace(
                response,
                status=416,
                headers=kept + extra + [("Cache-Control", "no-store")],
                body=b"",
                reason="range",
            )
        if part is not None:
            body = response.body[part[0] : part[1] + 1]
            extra = [("Content-Range", f"bytes {part[0]}-{part[1]}/{size}")]
            extra += length_of(body)
            return replace(response, status=206, headers=response.headers + extra, body=body)
    return replace(response, headers=response.headers + length_of(response.body))


_NOT_WITH_416 = ("Content-Type", "ETag", "Cache-Control")


def length_of(body: bytes) -> Headers:
    return [("Content-Length", str(len(body)))]


def is_match(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match names the entity tag (RFC 9110, section 13.1.2)."""
    text = if_none_match[:2000].strip()
    return text == "*" or tag in _ETAG.findall(text)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None to send everything.

    Raises ValueError for a range outside the picture. Several ranges get everything.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        if int(last) == 0:
            raise ValueError("no bytes asked for")
        return max(0, size - int(last)), size - 1
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise ValueError("the range starts after the end")
    return start, min(end, size - 1)
