"""Fetching over HTTP from the few hosts that are allowed, whatever names and redirects say.

A name is resolved once, all its addresses are checked, and the connection goes to a checked
address, so that a name that changes its mind (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from edge.addresses import is_public

MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 256 * 1024


class OriginRefused(OSError):
    """An address that must not be asked."""


@dataclass(frozen=True)
class Origin:
    """Hosts (with their port, if it is not the scheme's) that may be asked."""

    hosts: frozenset[str]
    is_private_allowed: bool = False

    @classmethod
    def of(cls, url: str, hosts: tuple[str, ...] = (), private: bool = False) -> Origin:
        """The host of an address and others."""
        return cls(frozenset({urlsplit(url).netloc.lower(), *hosts}), private)


@dataclass(frozen=True)
class Fetched:
    """An answer that is no redirect."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(method: str, url: str, origin: Origin, *, limit: int, timeout: float) -> Fetched:
    """Ask, following few redirects to allowed hosts only.

    Raises OriginRefused, OSError (also when the whole takes longer than `timeout` seconds),
    and ValueError for more than `limit` bytes.
    """
    end = time.monotonic() + timeout
    for _ in range(MOST_REDIRECTS + 1):
        parts = _checked(url, origin)
        fetched = _ask(method, parts, origin, limit, end)
        if fetched.status not in _REDIRECTS:
            return fetched
        url = urljoin(url, fetched.headers.get("location", ""))
        if parts.scheme == "https" and not url.startswith("https:"):
            raise OriginRefused("a redirect leads away from https")
    raise OriginRefused("too many redirects")


def _checked(url: str, origin: Origin) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.username or parts.password:
        raise OriginRefused("the address is not a plain http address")
    if parts.netloc.lower() not in origin.hosts:
        raise OriginRefused("the host is not allowed")
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise OriginRefused("the address has characters that do not belong there")
    return parts


def _connect(parts: SplitResult, origin: Origin, end: float) -> socket.socket:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(item[4][0]) for item in found]
    if not origin.is_private_allowed:
        for address in addresses:
            if not is_public(address):
                raise OriginRefused("the host leads into a private network")
    failure: OSError = OSError("the host has no address")
    for address in dict.fromkeys(addresses):
        try:
            raw = socket.create_connection((address, port), _left(end))
        except OSError as error:
            failure = error
            continue
        if parts.scheme == "http":
            return raw
        return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    raise failure


def _ask(method: str, parts: SplitResult, origin: Origin, limit: int, end: float) -> Fetched:
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.sock = raw = _connect(parts, origin, end)
    # Each read has a time limit of its own; an answer in drops must end as a whole, too.
    watch = threading.Timer(_left(end), _cut, (raw,))
    watch.daemon = True
    watch.start()
    try:
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", parts.netloc)
        connection.putheader("Accept-Encoding", "identity")
        connection.endheaders()
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if headers.get("content-encoding", "identity") != "identity":
            raise OSError("the answer is compressed")
        body = b"" if method == "HEAD" else _body(connection, answer, limit, end)
        return Fetched(answer.status, headers, body)
    except http.client.HTTPException as error:
        raise OSError(f"no answer in HTTP: {type(error).__name__}") from None
    finally:
        watch.cancel()
        connection.close()


def _cut(raw: socket.socket) -> None:
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)


def _body(
    connection: http.client.HTTPConnection,
    answer: http.client.HTTPResponse,
    limit: int,
    end: float,
) -> bytes:
    if (answer.length or 0) > limit:
        raise ValueError(f"the answer has more than {limit} bytes")
    expected = answer.length
    chunks, size = [], 0
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(end))
        _left(end)
        chunk = answer.read1(_CHUNK)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise ValueError(f"the answer has more than {limit} bytes")
    if expected is not None and size != expected:
        raise OSError("the answer is not complete")
    return b"".join(chunks)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("the storage did not answer in time")
    return left
