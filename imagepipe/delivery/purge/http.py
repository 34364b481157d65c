"""One request to a target's API: bounded in time and size, no redirects, no secrets told."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from imagepipe.delivery.purge.target import PurgeFailed

TIMEOUT = 5.0  # seconds for each step of the exchange
_LARGEST = 64 * 1024


def send(
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    host: str = "",
) -> bytes:
    """The body of a 2xx answer. ``host`` replaces the Host header. Raises PurgeFailed."""
    status, answer, _ = exchange(method, url, body, headers, host=host)
    if not 200 <= status < 300:
        text = answer[:300].decode("utf-8", "replace")
        raise PurgeFailed(f"{_shown(url)} answered {status}: {text}")
    return answer


def exchange(
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    host: str = "",
) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, the start of the body, and headers. Raises PurgeFailed when there is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PurgeFailed(f"{_shown(url)} is not an http address")
    kind = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        connection.putrequest(method, target, skip_host=bool(host))
        if host:
            connection.putheader("Host", host)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST), dict(answer.headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PurgeFailed(f"{_shown(url)}: {type(error).__name__}: {error}"[:300]) from None
    finally:
        connection.close()


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{':' + str(parts.port) if parts.port else ''}"
