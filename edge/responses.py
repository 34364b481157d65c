"""Answers as WSGI sees them: status, headers, body."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

Headers = list[tuple[str, str]]

SECURITY: Headers = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
]
_LATER = {HTTPStatus.SERVICE_UNAVAILABLE: "5"}

#: What people are told, by reason.
TITLES = {
    "bad-signature": "The signature does not belong to this address.",
    "preview-expired": "This preview address is no longer valid.",
    "not-found": "There is nothing at this address.",
    "unknown-asset": "There is no such picture.",
    "unknown-version": "There is no such version of this picture.",
    "withdrawn": "This picture was withdrawn.",
    "expired": "The right to show this picture has ended.",
    "not-yet": "This picture may not be shown yet.",
    "market": "This picture may not be shown in this market.",
    "channel": "This picture may not be shown in this channel.",
    "stale-grant": "It is not certain that this picture may still be shown.",
    "rolled-back-grant": "It is not certain that this picture may still be shown.",
    "untrusted-grant": "It is not certain that this picture may be shown.",
    "storage-unavailable": "The picture cannot be read at the moment.",
    "damaged-master": "The picture cannot be read at the moment.",
    "unusable-master": "This picture cannot be delivered.",
    "too-many-pixels": "This picture is too large to be delivered.",
    "busy": "The service is busy; try again soon.",
    "method": "Only GET and HEAD are answered here.",
    "not-ready": "The service is not ready.",
    "internal": "The picture could not be made.",
}


@dataclass(frozen=True)
class Response:
    status: int
    headers: Headers
    body: bytes = b""

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def problem(status: int, reason: str, extra: Iterable[tuple[str, str]] = ()) -> Response:
    """A refusal as application/problem+json (RFC 9457) with a stable `reason`."""
    body = json.dumps(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": TITLES[reason],
            "reason": reason,
        }
    ).encode()
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *SECURITY,
        *extra,
    ]
    if status in _LATER:
        headers.append(("Retry-After", _LATER[HTTPStatus(status)]))
    return Response(status, headers, body)


def plain(body: bytes, content_type: str = "text/plain; charset=utf-8") -> Response:
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *SECURITY,
    ]
    return Response(200, headers, body)


def matches(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names the tag (weak comparison, RFC 9110 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
