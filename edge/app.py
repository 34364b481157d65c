"""The WSGI application: routes, and the one place where errors become answers."""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from edge import allocator, logs, sidecars
from edge.assembly import Parts, assemble
from edge.cache import Picture
from edge.conditional import Ask, conditional
from edge.config import EdgeConfig
from edge.confinement import confine
from edge.exceptions import BadRequest, Refusal
from edge.health import healthz, readyz
from edge.hits import Hit, Key, key_of
from edge.iiif.service import ImageService
from edge.iiif.visitors import VisitorDesk
from edge.metrics import CONTENT_TYPE
from edge.negotiation import is_negotiated, read_hints
from edge.orders import OrderDesk
from edge.placement import Placement
from edge.responses import SAFETY, Response, problem
from edge.tracing import trace_of
from edge.visitors import Visitors
from imagepipe.urlspec.hints import NO_HINTS

logger = logging.getLogger("edge")

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Environ = dict[str, Any]

_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})


class EdgeApp:
    """One process of the edge. Raises ConfigError for unusable files."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock = clock
        self._parts: Parts = assemble(config, clock)
        self.metrics = self._parts.metrics
        self.book = self._parts.book
        self.producer = self._parts.producer
        self.follower = self._parts.follower
        self.hits = self._parts.hits
        self._visitors = Visitors(config)
        self._viewers = VisitorDesk(config)
        self._logs_hits = config.access_log == "all"
        self._logs_others = config.access_log != "none"
        self.follower.start()

    def close(self) -> None:
        """Stop the background threads."""
        self._parts.close()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        hit = self.hits.find(key_of(path, environ), self._clock())
        if hit is not None and environ["REQUEST_METHOD"] == "GET":
            if self._logs_hits or environ.get("QUERY_STRING"):
                pass
            elif "HTTP_IF_NONE_MATCH" not in environ and "HTTP_RANGE" not in environ:
                hit.count += 1
                start_response(hit.status_line, hit.headers)
                return hit.chunks
        return self._answer(environ, path, hit, start_response)

    def _answer(
        self, environ: Environ, path: str, hit: Hit | None, start_response: StartResponse
    ) -> Iterable[bytes]:
        started = time.perf_counter()
        method = str(environ.get("REQUEST_METHOD", ""))
        trace = trace_of(environ.get("HTTP_TRACEPARENT", ""))
        try:
            response = self._route(method, path, environ, hit)
        except Refusal as refusal:
            response = problem(refusal)
        except Exception:
            logger.exception("unexpected error", extra={"fields": {"trace": trace.trace_id}})
            response = problem(Refusal(500, "internal", "the picture could not be delivered"))
        seconds = time.perf_counter() - started
        if path not in _ROUTES:
            self.metrics.count(response, seconds)
            if self._logs_hits or (self._logs_others and hit is None):
                logs.log_access(method, _route_of(path), response, seconds, trace.trace_id)
        headers = [*response.headers, ("X-Trace-Id", trace.trace_id)]
        start_response(response.status_line, headers)
        return [b"" if method == "HEAD" else response.body]

    def _route(self, method: str, path: str, environ: Environ, hit: Hit | None) -> Response:
        if OrderDesk.knows(path) and self._parts.orders is not None:
            return self._parts.orders.answer(method, path, environ)
        if method not in ("GET", "HEAD"):
            raise BadRequest(405, "method", "only GET and HEAD are answered")
        if path == "/healthz":
            return healthz()
        if path == "/readyz":
            return readyz(self._parts.checks)
        if path == "/metrics":
            return self._metrics()
        if environ.get("QUERY_STRING"):
            raise BadRequest(400, "query", "the address takes no query")
        ask = self._ask(method, path, environ)
        if self._parts.iiif is not None and ImageService.knows(path):
            whole = self._parts.iiif.whole(path, self._viewers.read(environ, ask.market))
            return conditional(whole, ask, whole.tag) if whole.tag else whole
        whole = hit.response if hit is not None else self._make(ask, key_of(path, environ))
        return conditional(whole, ask, whole.tag)

    def _ask(self, method: str, path: str, environ: Environ) -> Ask:
        return Ask(
            path,
            environ.get("HTTP_ACCEPT", ""),
            environ.get("HTTP_IF_NONE_MATCH", ""),
            environ.get("HTTP_RANGE", "") if method == "GET" else "",
            environ.get("HTTP_IF_RANGE", ""),
            self._visitors.market(environ),
            read_hints(environ) if is_negotiated(path) else NO_HINTS,
            self._visitors.address(environ),
        )

    def _make(self, ask: Ask, key: Key) -> Response:
        """A whole picture, without its length; kept and placed where its terms allow it."""
        path = self._parts.pictures.verify(ask.path, int(self._clock()))
        asset, epoch = path.asset, self.hits.epoch(path.asset)
        response = self._parts.pictures.whole(ask, path)
        terms = response.terms
        if terms is None or not terms.is_open:
            return response
        self.hits.keep(key, response.repeated(), self._clock(), epoch)
        if self._parts.placer is not None and self._is_placed(ask.path):
            note = response.note
            until = int(terms.until)
            picture = response.beside or Picture.of(response.body)
            self._parts.placer.offer(
                Placement(ask.path, asset, note["version"], until, picture)
            )
        return response

    @staticmethod
    def _is_placed(path: str) -> bool:
        """Sidecars are placed with their pictures."""
        return not is_negotiated(path) and not sidecars.split(path)[1]

    def _metrics(self) -> Response:
        self._parts.note_state()
        body = self.metrics.text()
        length = ("Content-Length", str(len(body)))
        kind = ("Content-Type", CONTENT_TYPE)
        return Response(200, [kind, length, ("Cache-Control", "no-store"), *SAFETY], body)


def _route_of(path: str) -> str:
    """What the log calls it."""
    if OrderDesk.knows(path):
        return "order"
    return "iiif" if ImageService.knows(path) else "picture"


def create_app() -> EdgeApp:
    """The application of a worker process, configured from the environment."""
    logs.configure()
    allocator.restrain()
    config = EdgeConfig.from_environ(os.environ)
    app = EdgeApp(config)
    atexit.register(app.close)
    if config.confine and not confine():
        logger.warning("the kernel does not confine this process")
    return app
