"""The WSGI application: one request in, one picture or one plain refusal out."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from edge import metrics, render
from edge.cache import Picture, PictureCache
from edge.config import Config
from edge.encode import encode
from edge.flight import Busy, SingleFlight
from edge.follower import Follower, NoGrant, UnusableGrant
from edge.marking import Marker, marking_digest
from edge.responses import SECURITY, Headers, Response, matches, plain, problem
from edge.sequences import SequenceFile
from edge.storage import DamagedMaster, DeliveryFolder, StorageError
from imagepipe.grants import Decision, Grant, GrantedVersion, decide, load_public_keys
from imagepipe.urlspec import (
    FORMATS,
    MIME_TYPES,
    Expired,
    ImagePath,
    InvalidPath,
    Keyring,
    UntrustedUrl,
    format_transform,
    negotiate,
    verify_url,
)

logger = logging.getLogger("edge")

SUPERSEDED_AGE = 60  # seconds: an old address shows the current picture
REVISION = 1  # raise when the same request should give other bytes
_MOST_ALPHA = 10_000

Environ = dict[str, Any]


class Edge:
    """Answers requests. `clock` gives Unix seconds."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.config, self._clock = config, clock
        self._keyring = Keyring.from_json(config.url_keys.read_bytes())
        self._folder = DeliveryFolder(config.storage, config.master_bytes)
        self._cache = PictureCache(
            config.cache / "pictures", config.memory_bytes, config.cache_bytes
        )
        self.follower = Follower(
            self._folder,
            load_public_keys(config.grant_keys),
            SequenceFile(config.cache / "sequences.json"),
            poll=config.poll,
            grant_age=config.grant_age,
            on_change=self._cache.drop,
        )
        self._marker = Marker(config.identity)
        self._flight: SingleFlight[Picture] = SingleFlight(config.renders)
        self._alpha: dict[str, bool] = {}
        self._market = "HTTP_" + config.market_header.upper().replace("-", "_")
        self.metrics = metrics.Metrics()
        render.prepare_vips()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            response = self._route(environ)
        except Exception:
            logger.exception("a request failed")
            response = self._refuse(500, "internal")
        start_response(response.status_line, response.headers)
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

    def _route(self, environ: Environ) -> Response:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._refuse(405, "method", [("Allow", "GET, HEAD")])
        path = environ.get("PATH_INFO", "")
        if path == "/healthz":
            return plain(b"ok\n")
        if path == "/readyz":
            if self._folder.is_there() and self.follower.is_current():
                return plain(b"ready\n")
            return problem(503, "not-ready")
        if path == "/metrics":
            return plain(self.metrics.text(), metrics.CONTENT_TYPE)
        return self._answer(path, environ)

    def _answer(self, url: str, environ: Environ) -> Response:
        now = int(self._clock())
        try:
            path = verify_url(url, self._keyring, now)
            grant = self.follower.grant(path.asset)
        except InvalidPath:
            return self._refuse(404, "not-found")
        except Expired:
            return self._refuse(403, "preview-expired")
        except UntrustedUrl:
            return self._refuse(403, "bad-signature")
        except NoGrant:
            return self._refuse(404, "unknown-asset")
        except UnusableGrant as error:
            return self._refuse(503, error.reason)
        market = environ.get(self._market) if self.config.market_header else None
        preview = path.expires is not None
        decision = decide(
            grant, path.version, now, market, preview=preview, grace=self.config.grace
        )
        if not decision.allowed or decision.version is None:
            return self._refuse(decision.status, decision.reason)
        response = self._deliver(path, grant, decision, decision.version, environ, now)
        if response.status == 200 and self._has_changed(grant):
            return self._answer(url, environ)  # withdrawn, say, while it was being made
        return response

    def _has_changed(self, grant: Grant) -> bool:
        try:
            return self.follower.grant(grant.asset).sequence != grant.sequence
        except (NoGrant, UnusableGrant):
            return True

    def _deliver(
        self,
        path: ImagePath,
        grant: Grant,
        decision: Decision,
        version: GrantedVersion,
        environ: Environ,
        now: int,
    ) -> Response:
        try:
            extension = self._extension(path, version, environ.get("HTTP_ACCEPT", ""))
            picture = self._picture(path, version, extension)
        except DamagedMaster as error:
            logger.error("%s", error)
            return self._refuse(503, "damaged-master")
        except StorageError as error:
            logger.error("%s", error)
            return self._refuse(503, "storage-unavailable")
        except render.TooManyPixels:
            return self._refuse(422, "too-many-pixels")
        except render.UnusableMaster:
            logger.error("master %s cannot be decoded", version.sha256[:16])
            return self._refuse(500, "unusable-master")
        except Busy:
            return self._refuse(503, "busy")
        headers: Headers = [
            ("ETag", picture.etag),
            ("Cache-Control", self._cache_control(path, decision, version, now)),
            *SECURITY,
        ]
        if path.extension == "auto":
            headers.append(("Vary", "Accept"))
        if grant.tags:
            headers.append(("Surrogate-Key", " ".join(grant.tags)))
        if matches(environ.get("HTTP_IF_NONE_MATCH", ""), picture.etag):
            self.metrics.answers.labels("304", decision.reason).inc()
            return Response(304, headers)
        self.metrics.answers.labels("200", decision.reason).inc()
        headers += [
            ("Content-Type", MIME_TYPES[extension]),
            ("Content-Length", str(len(picture.body))),
        ]
        return Response(200, headers, picture.body)

    def _cache_control(
        self, path: ImagePath, decision: Decision, version: GrantedVersion, now: int
    ) -> str:
        age = SUPERSEDED_AGE if decision.reason == "superseded" else self.config.max_age
        ends = [end for end in (decision.not_after, path.expires) if end is not None]
        age = max(0, min([min(age, self.config.max_age), *(end - now for end in ends)]))
        shared = path.expires is None and not version.markets
        return f"{'public' if shared else 'private'}, max-age={age}"

    def _extension(self, path: ImagePath, version: GrantedVersion, accept: str) -> str:
        if path.extension != "auto":
            return path.extension
        extension = negotiate(accept)
        if extension == "jpg" and version.mime != "image/jpeg" and self._has_alpha(version):
            return negotiate(accept, has_alpha=True)
        return extension

    def _has_alpha(self, version: GrantedVersion) -> bool:
        known = self._alpha.get(version.sha256)
        if known is None:
            known = render.has_alpha(self._folder.master(version))
            if len(self._alpha) >= _MOST_ALPHA:
                self._alpha.clear()
            self._alpha[version.sha256] = known
        return known

    def _picture(self, path: ImagePath, version: GrantedVersion, extension: str) -> Picture:
        key = self._key(path, version, extension)
        picture = self._cache.get(path.asset, key)
        if picture is not None:
            self.metrics.cache_hits.inc()
            return picture
        return self._flight.do(key, lambda: self._make(path, version, extension, key))

    def _key(self, path: ImagePath, version: GrantedVersion, extension: str) -> str:
        parts = [
            REVISION,
            path.asset,
            version.sha256,
            format_transform(path.transform),
            extension,
            version.focal,
            marking_digest(version),
            self._marker.name,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]

    def _make(
        self, path: ImagePath, version: GrantedVersion, extension: str, key: str
    ) -> Picture:
        # Another thread may have finished it between our look and our turn.
        if (ready := self._cache.get(path.asset, key)) is not None:
            return ready
        with self.metrics.render_seconds.time():
            master = self._folder.master(version)
            rendered = render.render(
                master,
                path.transform,
                version.focal,
                alpha=FORMATS[extension].has_alpha,
                max_pixels=self.config.max_pixels,
            )
            body = encode(
                rendered.image, extension, path.transform.quality, self._marker.packet(version)
            )
            body = self._marker.sign(
                body,
                MIME_TYPES[extension],
                version,
                rendered.plan,
                parent=lambda: self._folder.parent(version.sha256),
                master=master,
            )
        self.metrics.renders.labels(extension).inc()
        picture = Picture.of(body)
        self._cache.put(path.asset, key, picture)
        return picture

    def _refuse(self, status: int, reason: str, extra: Headers | None = None) -> Response:
        self.metrics.answers.labels(str(status), reason).inc()
        return problem(status, reason, extra or ())


def create_application() -> Edge:
    """For the server: configured from the environment, following the feed."""
    edge = Edge(Config.from_environment())
    edge.follower.start()
    return edge
