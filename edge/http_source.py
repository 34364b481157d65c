"""A delivery storage behind an HTTP server that gives out its files."""

from __future__ import annotations

from edge.origin import Origin, fetch
from edge.remote import RemoteSource, stamp_of
from edge.sources import Stamp


class HttpSource(RemoteSource):
    """Reads below `url`; the server must send `ETag` or `Last-Modified`."""

    def __init__(
        self, url: str, origin: Origin, max_bytes: int, beat: float, timeout: float
    ) -> None:
        super().__init__(max_bytes, beat)
        self._url = url.rstrip("/")
        self._origin = origin
        self._timeout = timeout

    def _head(self, name: str) -> Stamp | None:
        answer = fetch(
            "HEAD", f"{self._url}/{name}", self._origin, limit=0, timeout=self._timeout
        )
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise OSError(f"the storage answered {answer.status}")
        return _stamp(dict(answer.headers))

    def _get(self, name: str, limit: int) -> tuple[bytes, Stamp]:
        answer = fetch(
            "GET", f"{self._url}/{name}", self._origin, limit=limit, timeout=self._timeout
        )
        if answer.status in (404, 410):
            raise FileNotFoundError(2, "there is no such file", name)
        if answer.status != 200:
            raise OSError(f"the storage answered {answer.status}")
        return answer.body, _stamp(dict(answer.headers))


def _stamp(headers: dict[str, str]) -> Stamp:
    size = headers.get("content-length", "")
    return stamp_of(
        int(size) if size.isdigit() else 0,
        headers.get("etag", ""),
        headers.get("last-modified", ""),
    )
