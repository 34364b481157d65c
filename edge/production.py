"""Getting a finished picture: from memory, from disk, or made now, once for everybody."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge.cache import CacheKey, DiskCache, MemoryCache, Picture
from edge.config import EdgeConfig
from edge.encode import DEFAULT_QUALITY, Effort, encode
from edge.exceptions import SourceUnusable
from edge.flight import FileLocks, Gate, SingleFlight
from edge.marking import Marker, actions_of
from edge.metrics import Metrics
from edge.render import Limits, read_header, render
from edge.sources import FolderSource
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
        self, config: EdgeConfig, source: FolderSource, marker: Marker, metrics: Metrics
    ) -> None:
        self._source = source
        self._marker = marker
        self._metrics = metrics
        self._deadline = config.deadline
        self._limits = Limits.of(config)
        self._effort = Effort(config.avif_effort, config.webp_effort)
        self.memory = MemoryCache(config.memory_bytes)
        self.disk = DiskCache(config.cache / "renditions", config.disk_bytes)
        # A quarter of the threads never waits, so that finished pictures are always served.
        self._gate = Gate(config.renderers, config.threads - max(1, config.threads // 4))
        self._flights: SingleFlight[tuple[Picture, str, Stages]] = SingleFlight()
        self._locks = FileLocks(config.cache / "locks")
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

        Raises Refusal.
        """
        key = self._key(job)
        picture = self.memory.get(key)
        if picture is not None:
            return picture, "memory", {}
        deadline = time.monotonic() + self._deadline
        with self._gate.crowd():
            self._metrics.waiting.set(self._gate.waiting)
            try:
                result, is_leader = self._flights.run(
                    key.digest, lambda: self._find_or_make(job, key, deadline), deadline
                )
            finally:
                self._metrics.waiting.set(max(0, self._gate.waiting - 1))
        picture, origin, stages = result
        return picture, origin if is_leader else "shared", dict(stages)

    def purge(self, asset: str, keep: frozenset[str]) -> None:
        """Forget an asset's pictures in memory and, but for the kept versions, on disk."""
        self.memory.purge(asset)
        self.disk.purge(asset, keep)

    def _find_or_make(
        self, job: Job, key: CacheKey, deadline: float
    ) -> tuple[Picture, str, Stages]:
        stages: Stages = {}
        found = self.disk.get(key)
        origin = "disk"
        if found is None:
            queued = time.perf_counter()
            with self._gate.slot(deadline), self._locks.hold(key.digest, deadline):
                self._note("queue", queued, stages)
                found = self.disk.get(key)
                if found is None:
                    origin = "made"
                    found = Picture.of(self._make(job, stages))
                    self.disk.put(key, found)
        self.memory.put(key, found)
        return found, origin, stages

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
        return body

    def _key(self, job: Job) -> CacheKey:
        """Names everything that shapes the bytes."""
        version = job.version
        parts = (
            RECIPE,
            version.sha256,
            format_transform(job.transform),
            job.extension,
            version.focal,
            DEFAULT_QUALITY,
            self._effort,
            self._marker.digest(version),
        )
        digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
        return CacheKey(job.asset, version.sha256[:16], digest)

    @contextmanager
    def _stage(self, name: str, stages: Stages) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._note(name, started, stages)

    def _note(self, name: str, started: float, stages: Stages) -> None:
        stages[name] = time.perf_counter() - started
        self._metrics.stage_seconds.labels(name).observe(stages[name])
