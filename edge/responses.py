"""Answers: pictures with their headers, refusals as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Final

from edge.cache import Picture
from edge.config import EdgeConfig
from edge.exceptions import Refusal

SUPERSEDED_AGE: Final = 60
PREVIEW_AGE: Final = 60

_TITLES: Final = {
    200: "OK",
    206: "Partial Content",
    303: "See Other",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
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
class Terms:
    """How long a whole answer may be repeated as it is (Unix seconds), and by which grant.

    `is_open` tells that neither market nor preview decided: everybody gets the same.
    """

    grant: object
    until: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and body; `reason` and `cache` are for logs and metrics.

    `beside` is a picture whose sidecar the headers announce.
    """

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = "ok"
    cache: str = "none"
    note: dict[str, str] = field(default_factory=dict)
    tag: str = ""
    terms: Terms | None = None
    beside: Picture | None = None

    @property
    def status_line(self) -> str:
        """As WSGI wants it."""
        return f"{self.status} {_TITLES.get(self.status, 'Unknown')}"

    def repeated(self) -> Response:
        """The same answer for the next one who asks: from memory, without the work's times."""
        headers = [
            (name, "cache;desc=memory" if name == "Server-Timing" else value)
            for name, value in self.headers
        ]
        return replace(self, headers=headers, cache="memory", beside=None)


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
    """How long caches may keep a picture, in seconds; `is_private` keeps shared ones out.

    `stale_while` and `stale_if_error` are allowed on top; `is_immutable` spares browsers the
    question whether it changed.
    """

    max_age: int
    shared_max_age: int
    is_private: bool = False
    stale_while: int = 0
    stale_if_error: int = 0
    is_immutable: bool = False

    @classmethod
    def of(cls, config: EdgeConfig, *, is_private: bool) -> Lifetime:
        """What the settings say."""
        return cls(
            config.max_age,
            config.shared_max_age,
            is_private,
            config.stale_while_revalidate,
            config.stale_if_error,
            config.immutable,
        )

    @property
    def longest(self) -> int:
        """Seconds after which no cache may show the picture any more."""
        return max(self.max_age, self.shared_max_age) + max(
            self.stale_while, self.stale_if_error
        )

    def until(self, end: int | None, now: int) -> Lifetime:
        """Never past an end (Unix seconds), not even stale."""
        if end is None:
            return self
        left = max(0, end - now)
        ages = min(self.max_age, left), min(self.shared_max_age, left)
        rest = left - max(ages)
        return replace(
            self,
            max_age=ages[0],
            shared_max_age=ages[1],
            stale_while=min(self.stale_while, rest),
            stale_if_error=min(self.stale_if_error, rest),
            is_immutable=self.is_immutable and rest > 0,
        )

    def at_most(self, seconds: int) -> Lifetime:
        """Shortened to so many seconds, and not stale for longer."""
        return Lifetime(
            min(self.max_age, seconds), min(self.shared_max_age, seconds), self.is_private
        )

    def __str__(self) -> str:
        parts = ["private" if self.is_private else "public", f"max-age={self.max_age}"]
        if not self.is_private:
            parts.append(f"s-maxage={self.shared_max_age}")
        if self.stale_while:
            parts.append(f"stale-while-revalidate={self.stale_while}")
        if self.stale_if_error:
            parts.append(f"stale-if-error={self.stale_if_error}")
        if self.is_immutable:
            parts.append("immutable")
        return ", ".join(parts)


def picture_headers(
    picture: Picture,
    mime: str,
    lifetime: Lifetime,
    *,
    tags: tuple[str, ...],
    vary: str = "",
    timing: str = "",
    link: str = "",
) -> Headers:
    """The headers of a whole picture or sidecar, without its length."""
    headers = [
        ("Content-Type", mime),
        ("ETag", etag(picture)),
        ("Cache-Control", str(lifetime)),
        ("Accept-Ranges", "bytes"),
        *SAFETY,
    ]
    if vary:
        headers.append(("Vary", vary))
    if tags:
        headers += [("Surrogate-Key", " ".join(tags)), ("Cache-Tag", ",".join(tags))]
    if link:
        # Scripts of other sites that check pictures may read it.
        headers += [("Link", link), ("Access-Control-Expose-Headers", "Link")]
    if timing:
        headers.append(("Server-Timing", timing))
    return headers


def etag(picture: Picture) -> str:
    """Strong: half of the SHA-256 of the very bytes."""
    return f'"{picture.sha256[:32]}"'


def timing_header(origin: str, stages: dict[str, float]) -> str:
    """Server-Timing, in milliseconds."""
    parts = [f"cache;desc={origin}"]
    parts += [f"{name};dur={seconds * 1000:.1f}" for name, seconds in stages.items()]
    return ", ".join(parts)
