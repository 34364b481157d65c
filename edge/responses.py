"""Answers: pictures with their headers, refusals as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from edge.cache import Picture
from edge.exceptions import Refusal
from imagepipe.urlspec import MIME_TYPES

SUPERSEDED_AGE: Final = 60
PREVIEW_AGE: Final = 60

_TITLES: Final = {
    200: "OK",
    206: "Partial Content",
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}

Headers = list[tuple[str, str]]

#: Sent with everything.
SAFETY: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and body; `reason` and `cache` are for logs and metrics."""

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = "ok"
    cache: str = "none"
    note: dict[str, str] = field(default_factory=dict)

    @property
    def status_line(self) -> str:
        """As WSGI wants it."""
        return f"{self.status} {_TITLES.get(self.status, 'Unknown')}"


def problem(refusal: Refusal) -> Response:
    """A refusal as `application/problem+json`, never stored."""
    document = {
        "type": f"urn:imagepipe:edge:{refusal.reason}",
        "title": _TITLES.get(refusal.status, "Error"),
        "status": refusal.status,
        "reason": refusal.reason,
        "detail": refusal.detail,
    }
    body = json.dumps(document).encode()
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *SAFETY,
    ]
    if refusal.retry_after is not None:
        headers.append(("Retry-After", str(refusal.retry_after)))
    if refusal.status == 405:
        headers.append(("Allow", "GET, HEAD"))
    return Response(refusal.status, headers, body, refusal.reason)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long caches may keep a picture, in seconds; `is_private` keeps shared ones out."""

    max_age: int
    shared_max_age: int
    is_private: bool = False

    def until(self, end: int | None, now: int) -> Lifetime:
        """Never past an end (Unix seconds)."""
        if end is None:
            return self
        left = max(0, end - now)
        return Lifetime(
            min(self.max_age, left), min(self.shared_max_age, left), self.is_private
        )

    def at_most(self, seconds: int) -> Lifetime:
        """Shortened to so many seconds."""
        return Lifetime(
            min(self.max_age, seconds), min(self.shared_max_age, seconds), self.is_private
        )

    def __str__(self) -> str:
        if self.is_private:
            return f"private, max-age={self.max_age}"
        return f"public, max-age={self.max_age}, s-maxage={self.shared_max_age}"


def picture_headers(
    picture: Picture,
    extension: str,
    lifetime: Lifetime,
    *,
    tags: tuple[str, ...],
    varies: bool,
    timing: str,
) -> Headers:
    """The headers of a whole picture, without its length."""
    headers = [
        ("Content-Type", MIME_TYPES[extension]),
        ("ETag", etag(picture)),
        ("Cache-Control", str(lifetime)),
        ("Accept-Ranges", "bytes"),
        *SAFETY,
    ]
    if varies:
        headers.append(("Vary", "Accept"))
    if tags:
        headers += [("Surrogate-Key", " ".join(tags)), ("Cache-Tag", ",".join(tags))]
    if timing:
        headers.append(("Server-Timing", timing))
    return headers


def etag(picture: Picture) -> str:
    """Strong: half of the SHA-256 of the very bytes."""
    return f'"{picture.sha256[:32]}"'
