"""The WSGI application: routes, and the one place where errors become answers."""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from edge import logs
from edge.conditional import Ask
from edge.config import EdgeConfig
from edge.exceptions import BadRequest, Refusal
from edge.follower import Follower
from edge.grants import GrantBook
from edge.health import healthz, readyz
from edge.keys import EdgeKeys
from edge.marking import Marker
from edge.metrics import CONTENT_TYPE, Metrics
from edge.pictures import PictureHandler
from edge.production import Producer
from edge.responses import SAFETY, Response, problem
from edge.sequences import SequenceMemory
from edge.sources import FolderSource

logger = logging.getLogger("edge")

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class EdgeApp:
    """One process of the edge. Raises ConfigError for unusable files."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], float] = time.time) -> None:
        config.check()
        self._config = config
        self.metrics = Metrics()
        source = FolderSource(config.storage, config.max_source_bytes)
        memory = SequenceMemory(config.cache / "sequences.json")
        keys = EdgeKeys.load(config)
        if keys.identity is None:
            logger.warning("no signing identity: pictures carry XMP but no content credentials")
        self.book = GrantBook(source, keys.grants, memory.guard, self._on_change)
        marker = Marker(source, keys.identity, self.metrics)
        self.producer = Producer(config, source, marker, self.metrics)
        self.follower = Follower(self.book, memory, config.poll, self.producer.disk.tidy)
        self._pictures = PictureHandler(config, keys.urls, self.book, self.producer, clock)
        header = config.market_header.upper().replace("-", "_")
        self._market_key = f"HTTP_{header}" if header else None
        self._checks: dict[str, Callable[[], bool]] = {
            "storage": source.is_readable,
            "feed": lambda: self.follower.is_fresh,
            "cache": lambda: os.access(config.cache, os.W_OK),
        }
        self.follower.start()

    def close(self) -> None:
        """Stop the background thread."""
        self.follower.stop()

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        started = time.perf_counter()
        method = str(environ.get("REQUEST_METHOD", ""))
        path = str(environ.get("PATH_INFO", ""))
        route = path[1:] if path in ("/healthz", "/readyz", "/metrics") else "picture"
        try:
            response = self._route(method, path, environ)
        except Refusal as refusal:
            response = problem(refusal)
        except Exception:
            logger.exception("unexpected error")
            response = problem(Refusal(500, "internal", "the picture could not be delivered"))
        seconds = time.perf_counter() - started
        if route == "picture":
            self._count(response, seconds)
            logs.log_access(method, route, response, seconds)
        start_response(response.status_line, response.headers)
        return [b"" if method == "HEAD" else response.body]

    def _route(self, method: str, path: str, environ: dict[str, Any]) -> Response:
        if method not in ("GET", "HEAD"):
            raise BadRequest(405, "method", "only GET and HEAD are answered")
        if path == "/healthz":
            return healthz()
        if path == "/readyz":
            return readyz(self._checks)
        if path == "/metrics":
            self.metrics.feed_fresh.set(int(self.follower.is_fresh))
            body = self.metrics.text()
            length = ("Content-Length", str(len(body)))
            kind = ("Content-Type", CONTENT_TYPE)
            return Response(200, [kind, length, ("Cache-Control", "no-store"), *SAFETY], body)
        if environ.get("QUERY_STRING"):
            raise BadRequest(400, "query", "the address takes no query")
        market = environ.get(self._market_key) if self._market_key else None
        return self._pictures.answer(
            Ask(
                path,
                environ.get("HTTP_ACCEPT", ""),
                environ.get("HTTP_IF_NONE_MATCH", ""),
                environ.get("HTTP_RANGE", "") if method == "GET" else "",
                environ.get("HTTP_IF_RANGE", ""),
                market,
            )
        )

    def _count(self, response: Response, seconds: float) -> None:
        labels = str(response.status), response.reason, response.cache
        self.metrics.requests.labels(*labels).inc()
        self.metrics.request_seconds.labels(response.cache).observe(seconds)
        if response.status in (200, 206):
            kind = response.note.get("format", "")
            self.metrics.sent_bytes.labels(kind).inc(len(response.body))

    def _on_change(self, asset: str) -> None:
        """Delete finished pictures that may no longer be shown; others stay on disk."""
        keep: frozenset[str] = frozenset()
        try:
            grant = self.book.get(asset)
            keep = frozenset(v.sha256[:16] for v in grant.versions if v.state == "published")
        except Refusal:
            pass
        self.producer.purge(asset, keep)


def create_app() -> EdgeApp:
    """The application of a worker process, configured from the environment."""
    logs.configure()
    app = EdgeApp(EdgeConfig.from_environ(os.environ))
    atexit.register(app.close)
    return app
