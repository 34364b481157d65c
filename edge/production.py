"""Getting a finished picture: from memory, from disk, or made now, once for everybody."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge.cache import SAME_MARKING, SAME_PIXELS, CacheKey, DiskCache, MemoryCache, Picture
from edge.config import EdgeConfig
from edge.encode import DEFAULT_QUALITY, Effort, encode
from edge.exceptions import Refusal, SourceUnusable
from edge.flight import FileLocks, Gate, SingleFlight
from edge.marking import Marker, actions_of
from edge.metrics import Metrics
from edge.render import Limits, read_header, render
from edge.renewals import Renewals
from edge.sources import Source
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import MIME_TYPES, Transform, format_transform

#: Part of every cache key: raise it when the same request would give other bytes.
RECIPE = 1

Stages = dict[str, float]


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to deliver."""

    asset: str
    version: GrantedVersion
    transform: Transform
    extension: str


class Producer:
    """The finished pictures of one process, backed by the disk cache that all share."""

    def __init__(
        self, config: EdgeConfig, source: Source, marker: Marker, metrics: Metrics
    ) -> None:
        self._source = source
        self._marker = marker
        self._metrics = metrics
        self._deadline = config.deadline
        self._limits = Limits.of(config)
        self._effort = Effort(config.avif_effort, config.webp_effort)
        self.memory = MemoryCache(config.memory_bytes // 2)
        self.disk = DiskCache(config.cache / "renditions", config.disk_bytes)
        # A quarter of the threads never waits, so that finished pictures are always served.
        self._gate = Gate(config.renderers, config.threads - max(1, config.threads // 4))
        self._flights: SingleFlight[tuple[Picture, str, Stages]] = SingleFlight()
        self._locks = FileLocks(config.cache / "locks")
        self._renewals = Renewals()
        self._alpha: dict[str, bool] = {}

    def has_alpha(self, version: GrantedVersion) -> bool:
        """Whether a master has transparency; looks at its header once. Raises Refusal."""
        if version.mime == "image/jpeg":
            return False
        known = self._alpha.get(version.sha256)
        if known is None:
            deadline = time.monotonic() + self._deadline
            with self._gate.crowd(), self._gate.slot(deadline):
                header = read_header(self._source.master(version), self._limits)
            if len(self._alpha) > 50_000:
                self._alpha.clear()
            known = self._alpha[version.sha256] = header.has_alpha
        return known

    def get(self, job: Job) -> tuple[Picture, str, Stages]:
        """The picture, where it came from (memory, disk, shared, made), and times spent.

        "stale" is a picture by earlier settings, shown while the new one is made or because
        it cannot be made. Raises Refusal.
        """
        key = self._key(job)
        picture = self.memory.get(key)
        if picture is not None:
            return picture, "memory", {}
        deadline = time.monotonic() + self._deadline
        try:
            with self._gate.crowd():
                self._metrics.waiting.set(self._gate.waiting)
                try:
                    result, is_leader = self._flights.run(
                        key.digest, lambda: self._find_or_make(job, key, deadline), deadline
                    )
                finally:
                    self._metrics.waiting.set(max(0, self._gate.waiting - 1))
        except Refusal as refusal:
            older = None
            if refusal.status >= 500:
                older = self.disk.get_similar(key, SAME_PIXELS)
            if older is None:
                raise
            return older, "stale", {}
        picture, origin, stages = result
        if not is_leader and origin != "stale":
            origin = "shared"
        return picture, origin, dict(stages)

    def close(self) -> None:
        """Drop what waits in the background."""
        self._renewals.stop()

    def where(self, job: Job) -> str:
        """Where the picture is now: memory, disk or none."""
        key = self._key(job)
        if self.memory.get(key) is not None:
            return "memory"
        return "disk" if self.disk.has(key) else "none"

    def _find_or_make(
        self, job: Job, key: CacheKey, deadline: float
    ) -> tuple[Picture, str, Stages]:
        stages: Stages = {}
        found = self.disk.get(key)
        origin = "disk"
        if found is None:
            older = self.disk.get_similar(key, SAME_MARKING)
            if older is not None:
                self._renewals.start(key.digest, lambda: self._renew(job, key))
                return older, "stale", stages
            found, origin = self._lock_and_make(job, key, deadline, stages)
        self.memory.put(key, found)
        return found, origin, stages

    def _lock_and_make(
        self, job: Job, key: CacheKey, deadline: float, stages: Stages
    ) -> tuple[Picture, str]:
        """Made here, or found on disk because another process has just made it."""
        queued = time.perf_counter()
        with self._locks.hold(key.digest, deadline), self._gate.slot(deadline):
            self._note("queue", queued, stages)
            found = self.disk.get(key)
            if found is not None:
                return found, "disk"
            made = Picture.of(self._make(job, stages))
            self.disk.put(key, made)
            return made, "made"

    def _renew(self, job: Job, key: CacheKey) -> None:
        """Make what an old picture stood in for."""
        picture, _ = self._lock_and_make(job, key, time.monotonic() + self._deadline, {})
        self.memory.put(key, picture)

    def _make(self, job: Job, stages: Stages) -> bytes:
        version = job.version
        with self._stage("read", stages):
            master = self._source.master(version)
            header = read_header(master, self._limits)
            if header.mime != version.mime:
                raise SourceUnusable(502, "source-damaged", "the master is of another type")
        with self._stage("render", stages):
            image, todo = render(master, header, job.transform, version.focal)
        with self._stage("encode", stages):
            body = encode(
                image,
                job.extension,
                packet=self._marker.packet(version),
                quality=job.transform.quality,
                background=job.transform.background,
                effort=self._effort,
            )
        actions = actions_of(
            todo, (header.width, header.height), header.mime, MIME_TYPES[job.extension]
        )
        with self._stage("sign", stages):
            body = self._marker.sign(body, job.extension, version, master, actions)
        self._metrics.renders.labels(job.extension).inc()
        self._metrics.saved_bytes.labels(job.extension).inc(max(0, len(master) - len(body)))
        return body

    def _key(self, job: Job) -> CacheKey:
        """Names everything that shapes the bytes: pixels, marking, settings."""
        version = job.version
        pixels = version.sha256, format_transform(job.transform), job.extension, version.focal
        settings = RECIPE, DEFAULT_QUALITY, self._effort
        digest = (
            _digest(SAME_PIXELS, *pixels)
            + _digest(SAME_MARKING - SAME_PIXELS, self._marker.digest(version))
            + _digest(12, *settings)
        )
        return CacheKey(job.asset, version.sha256[:16], digest)

    @contextmanager
    def _stage(self, name: str, stages: Stages) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._note(name, started, stages)

    def _note(self, name: str, started: float, stages: Stages) -> None:
        stages[name] = time.perf_counter() - started
        self._metrics.stage_seconds.labels(name).observe(stages[name])


def _digest(digits: int, *parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:digits]
