"""HTTP to an engine elsewhere: one origin, bounded in time and size, errors for people.

Nothing is followed to another address, no proxy or password file of the machine is used, and
what the engine says about an error is shown cut short and without the key.
"""

from __future__ import annotations

import email.utils
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx

from imagepipe.generation.backends.address import Address
from imagepipe.generation.exceptions import (
    BackendBusy,
    BackendDown,
    BackendUnavailable,
    InvalidAnswer,
    OutOfMemory,
    RequestRefused,
)

MAX_ANSWER = 96 * 1024 * 1024
"""Bytes; a picture of 4096×4096 as base64 fits."""
MAX_ERROR = 64 * 1024
MAX_DETAIL = 300
CONNECT_SECONDS = 10.0
LONGEST_RETRY = 3600.0
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """Of an engine that said yes."""

    content_type: str
    body: bytes


class Remote:
    """One engine. ``key`` is sent as a bearer token, ``user:password`` as HTTP Basic.

    ``timeout`` is the longest wait for one whole answer, in seconds. Shared between threads.
    """

    def __init__(self, address: Address, key: str = "", timeout: float = 600.0) -> None:
        self.address = address
        self.timeout = timeout
        self._key = key
        self._client: httpx.Client | None = None
        self._process = 0

    def __repr__(self) -> str:
        return "Remote:" + self.address.origin

    @property
    def headers(self) -> dict[str, str]:
        """What proves who asks; for connections that are not made here."""
        if not self._key:
            return {}
        user, colon, password = self._key.partition(":")
        if colon:
            request = httpx.Request("GET", self.address.origin)
            flow = httpx.BasicAuth(user, password).auth_flow(request)
            return {"Authorization": next(flow).headers["Authorization"]}
        return {"Authorization": f"Bearer {self._key}"}

    def get_json(self, route: str, *, timeout: float | None = None, **params: Any) -> Any:
        """Return what a route answers."""
        answer = self.call("GET", route, params=params or None, timeout=timeout)
        return self.parse(answer)

    def post_json(self, route: str, body: Any, *, timeout: float | None = None) -> Any:
        """Return what a route answers to a JSON body."""
        return self.parse(self.call("POST", route, json=body, timeout=timeout))

    def parse(self, answer: Answer) -> Any:
        """Return the JSON of an answer. Raises ``InvalidAnswer``."""
        kind = answer.content_type.partition(";")[0].strip().casefold()
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise InvalidAnswer(
                f"The engine at {self.address.origin} answered with {kind[:60]} "
                "instead of JSON. Check its address."
            )
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise InvalidAnswer(
                f"The engine at {self.address.origin} answered with damaged JSON."
            ) from None

    def fetch(self, path: str) -> bytes:
        """Return the bytes at a path of the engine's origin, not below the address's path."""
        return self._call("GET", self.address.origin + path, None, MAX_ANSWER, {}).body

    def call(
        self,
        method: str,
        route: str,
        *,
        timeout: float | None = None,
        limit: int = MAX_ANSWER,
        **options: Any,
    ) -> Answer:
        """Return the answer if it is a good one; ``options`` as httpx takes them.

        Raises the errors of :mod:`imagepipe.generation.exceptions`.
        """
        return self._call(method, self.address.url(route), timeout, limit, options)

    def _call(
        self,
        method: str,
        url: str,
        timeout: float | None,
        limit: int,
        options: dict[str, Any],
    ) -> Answer:
        seconds = timeout or self.timeout
        deadline = time.monotonic() + seconds
        try:
            with self._connection().stream(
                method,
                url,
                headers=self.headers,
                timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
                **options,
            ) as response:
                good = response.is_success
                most = limit if good else MAX_ERROR
                body = self._read(response, deadline, most, cut=not good)
        except httpx.ConnectError:
            raise BackendDown(
                f"The engine at {self.address.origin} cannot be reached."
            ) from None
        except httpx.TimeoutException:
            raise self._too_late(seconds) from None
        except httpx.HTTPError:
            raise BackendDown(
                f"The engine at {self.address.origin} broke off its answer."
            ) from None
        if not good:
            raise self._refusal(response.status_code, response.headers, body)
        return Answer(response.headers.get("content-type", ""), body)

    def _connection(self) -> httpx.Client:
        """One pool of connections per process: those of a parent must not be shared."""
        if self._client is None or self._process != os.getpid():
            self._client = httpx.Client(
                follow_redirects=False,
                trust_env=False,
                headers={"Accept-Encoding": "identity", "User-Agent": "imagepipe"},
            )
            self._process = os.getpid()
        return self._client

    def _read(self, response: httpx.Response, deadline: float, limit: int, cut: bool) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise InvalidAnswer(
                f"The engine at {self.address.origin} answered in a compressed form "
                "that was not asked for."
            )
        parts, size = [], 0
        for part in response.iter_raw(CHUNK):
            size += len(part)
            if size > limit:
                if cut:
                    break
                raise InvalidAnswer(
                    f"The engine at {self.address.origin} answered with more than "
                    f"{limit // 2**20} MB."
                )
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("")
            parts.append(part)
        return b"".join(parts)

    def _too_late(self, seconds: float) -> BackendDown:
        return BackendDown(
            f"The engine at {self.address.origin} did not answer within {seconds:g} seconds."
        )

    def _refusal(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> Exception:
        origin = self.address.origin
        if status in (401, 403):
            return BackendUnavailable(
                f"The engine at {origin} does not accept the key. Enter it anew."
            )
        if 300 <= status < 400:
            return BackendUnavailable(
                f"The engine at {origin} sends to another address, which is not followed. "
                "Correct its address."
            )
        detail = self.without_key(_detail(body))
        after = retry_after(headers.get("retry-after"), datetime.now(UTC))
        if status == 429:
            return BackendBusy(f"The engine at {origin} has too much to do.", after)
        if status >= 500:
            if "out of memory" in detail.casefold() or "OutOfMemory" in detail:
                return OutOfMemory(
                    f"The engine at {origin} has not enough memory. Choose a smaller size."
                )
            told = f"The engine at {origin} failed ({status}). {detail}".strip()
            return BackendDown(told, after)
        return RequestRefused(f"The engine at {origin} refused ({status}). {detail}".strip())

    def without_key(self, text: str) -> str:
        """Return the text with every trace of the key taken out."""
        secrets = {self._key, *self._key.split(":"), *self.headers.values()}
        for secret in sorted(secrets, key=len, reverse=True):  # some are parts of others
            if len(secret) >= 4:
                text = text.replace(secret, "…")
        return text


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header names, at most an hour; None: nothing.

    A number of seconds or an HTTP date, see RFC 9110, 10.2.3.
    """
    if not value:
        return None
    if value.strip().isdecimal():
        return min(LONGEST_RETRY, float(value.strip()[:9]))
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(LONGEST_RETRY, max(0.0, (date - now).total_seconds()))


def _detail(body: bytes) -> str:
    """What an engine says about an error, in one short line; empty when it says nothing."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    found = [text for text in _texts(data) if text]
    line = " ".join("".join(c if c.isprintable() else " " for c in " ".join(found)).split())
    return line[: MAX_DETAIL - 1] + "…" if len(line) > MAX_DETAIL else line


def _texts(data: Any) -> list[str]:
    """The sentences in the shapes that the engines use for errors."""
    if isinstance(data, str):
        return [data]
    if isinstance(data, list):
        return [text for item in data[:3] for text in _texts(item)]
    if not isinstance(data, dict):
        return []
    found = []
    for name in ("error", "message", "msg", "detail", "details", "errors"):
        for text in _texts(data.get(name)):
            if text not in found:
                found.append(text)
    return found
