"""Getting a finished picture: from memory, from disk, or made now, once for everybody."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from edge.cache import SAME_MARKING, SAME_PIXELS, CacheKey, MemoryCache, Picture
from edge.config import EdgeConfig
from edge.disk import DiskCache
from edge.exceptions import NotDeliverable, Refusal, TooMany
from edge.flight import FileLocks, SingleFlight
from edge.gate import Gate
from edge.making import Job, Maker
from edge.marking import Marker
from edge.metrics import Metrics
from edge.moving import may_move
from edge.render import Header
from edge.renewals import Renewals
from edge.scene import scene_of
from edge.sources import Source
from edge.stages import Stages, Stopwatch
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import Transform, format_transform

__all__ = ["Job", "Producer"]

#: Where a picture came from that a better one will follow.
PASSING = ("stale", "provisional")


class Producer:
    """The finished pictures of one process, backed by the disk cache that all share."""

    def __init__(
        self, config: EdgeConfig, source: Source, marker: Marker, metrics: Metrics
    ) -> None:
        self._maker = Maker(config, source, marker, metrics)
        self._marker = marker
        self._metrics = metrics
        self._deadline = config.deadline
        self.memory = MemoryCache(config.memory_bytes // 2)
        self.disk = DiskCache(config.cache / "renditions", config.disk_bytes)
        # A quarter of the threads never waits, so that finished pictures are always served.
        self._gate = Gate(config.renderers, config.threads - max(1, config.threads // 4))
        self._flights: SingleFlight[tuple[Picture, str, Stages]] = SingleFlight()
        self._locks = FileLocks(config.cache / "locks")
        self._renewals = Renewals(self._maker.forget)

    def has_alpha(self, version: GrantedVersion) -> bool:
        """Whether a master has transparency. Raises Refusal."""
        return version.mime != "image/jpeg" and self._header(version).has_alpha

    def moves(self, version: GrantedVersion, transform: Transform, extension: str) -> bool:
        """Whether an animation is delivered. Raises Refusal."""
        if not may_move(version.mime, transform, extension):
            return False
        return self._maker.moves(version, transform, self._header(version))

    def _header(self, version: GrantedVersion) -> Header:
        """What a look at a master tells; it is remembered. Raises Refusal."""
        known = self._maker.known_header(version)
        if known is None:
            deadline = time.monotonic() + self._deadline
            with self._gate.crowd(), self._gate.slot(deadline):
                known = self._maker.header(version)
        return known

    def get(self, job: Job, visitor: str = "") -> tuple[Picture, str, Stages]:
        """The picture, where it came from (memory, disk, shared, made), and times spent.

        "provisional" was made quickly, and better bytes are made in the background. "stale" is
        that, or a picture by earlier settings, on later requests, or because the right one
        cannot be made. `visitor` is the address of who asks, if known. Raises Refusal.
        """
        key = self._key(job)
        picture = self.memory.get(key)
        if picture is not None:
            return picture, "memory", {}
        deadline = time.monotonic() + self._deadline
        try:
            with self._gate.crowd(visitor):
                self._metrics.waiting.set(self._gate.waiting)
                try:
                    result, is_leader = self._flights.run(
                        key.digest, lambda: self._find_or_make(job, key, deadline), deadline
                    )
                finally:
                    self._metrics.waiting.set(max(0, self._gate.waiting - 1))
        except Refusal as refusal:
            older = None
            if refusal.status >= 500 or isinstance(refusal, TooMany):
                older = self.disk.get_similar(key, SAME_PIXELS)
            if older is None:
                raise
            return older, "stale", {}
        picture, origin, stages = result
        if not is_leader and origin not in PASSING:
            origin = "shared"
        return picture, origin, dict(stages)

    def close(self) -> None:
        """Drop what waits in the background."""
        self._renewals.stop()

    def where(self, job: Job) -> tuple[str, Picture | None]:
        """Where the picture is now (memory, disk or none), and it."""
        key = self._key(job)
        picture = self.memory.get(key)
        if picture is not None:
            return "memory", picture
        picture = self.disk.get(key)
        return "none" if picture is None else "disk", picture

    def sidecar(self, asset: str, version: GrantedVersion, pair: str) -> tuple[Picture, str]:
        """The sidecar of bytes that were made before, and where it was. Raises Refusal."""
        name = asset, version.sha256[:16], pair
        picture, origin = self.memory.find(*name), "memory"
        if picture is None:
            picture, origin = self.disk.find(*name), "disk"
        if picture is None:
            raise NotDeliverable(404, "unknown-sidecar", "these bytes have no sidecar here")
        return Picture.of(picture.sidecar), origin

    def _find_or_make(
        self, job: Job, key: CacheKey, deadline: float
    ) -> tuple[Picture, str, Stages]:
        watch = Stopwatch(self._metrics)
        found, origin = self.disk.get(key), "disk"
        if found is None:
            older = self.disk.get_similar(key, SAME_MARKING)
            if older is not None:
                self._renew_later(job, key)
                return older, "stale", watch.stages
            if self._maker.settles(job):
                first = self._key(job, settled=False)
                found, origin = self._lock_and_make(
                    first, deadline, watch, lambda: self._maker.first(job, watch)
                )
                self._renew_later(job, key)
                return found, "provisional" if origin == "made" else "stale", watch.stages
            found, origin = self._lock_and_make(
                key, deadline, watch, lambda: self._maker.first(job, watch)
            )
        self.memory.put(key, found)
        return found, origin, watch.stages

    def _lock_and_make(
        self, key: CacheKey, deadline: float, watch: Stopwatch, make: Callable[[], Picture]
    ) -> tuple[Picture, str]:
        """Made here, or found on disk because another process has just made it."""
        queued = time.perf_counter()
        with self._locks.hold(key.digest, deadline), self._gate.slot(deadline):
            watch.note("queue", queued)
            found = self.disk.get(key)
            if found is not None:
                return found, "disk"
            made = make()
            if not self.disk.put(key, made):
                self.memory.put(key, made)  # its sidecar will be asked for
            return made, "made"

    def _renew_later(self, job: Job, key: CacheKey) -> None:
        self._renewals.start(key.digest, lambda: self._renew(job, key))

    def _renew(self, job: Job, key: CacheKey) -> None:
        """Make what another picture stood in for; it takes no place of those who wait."""
        watch = Stopwatch(self._metrics)
        settles = self._maker.settles(job)
        with self._locks.hold(key.digest, time.monotonic() + self._deadline):
            picture = self.disk.get(key)
            if picture is None:
                make = self._maker.settled if settles else self._maker.first
                picture = make(job, watch)
                self.disk.put(key, picture)
        self.memory.put(key, picture)
        if settles:
            self.disk.remove(self._key(job, settled=False))

    def _key(self, job: Job, settled: bool | None = None) -> CacheKey:
        """Names everything that shapes the bytes: pixels, marking, settings."""
        version = job.version
        if settled is None:
            settled = self._maker.settles(job)
        transform, scene = format_transform(job.transform), scene_of(version)
        pixels = version.sha256, transform, job.extension, scene, *["moves"] * job.moves
        digest = (
            _digest(SAME_PIXELS, *pixels)
            + _digest(SAME_MARKING - SAME_PIXELS, self._marker.digest(version))
            + _digest(12, *self._maker.settings(settled))
        )
        return CacheKey(job.asset, version.sha256[:16], digest)


def _digest(digits: int, *parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:digits]
