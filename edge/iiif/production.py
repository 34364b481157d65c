"""Getting the bytes of an image request: kept ones, or made now, with room of their own."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Final

from edge.cache import CacheKey, Picture
from edge.config import EdgeConfig
from edge.disk import DiskCache
from edge.encode import Effort, native_quality, save
from edge.exceptions import NotDeliverable, SourceUnusable
from edge.flight import FileLocks, SingleFlight
from edge.gate import Gate
from edge.iiif.geometry import Cut
from edge.iiif.rates import Rates
from edge.iiif.rendering import Renderer
from edge.iiif.syntax import ImageRequest
from edge.marking import Marker
from edge.metrics import Metrics
from edge.render import Limits, read_header
from edge.sources import Source
from edge.stages import Stages, Stopwatch
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import MIME_TYPES

#: Part of every cache key: raise it when the same request would give other bytes.
RECIPE: Final = 1


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to deliver; `is_kept` says that it may be stored."""

    asset: str
    version: GrantedVersion
    request: ImageRequest
    cut: Cut
    is_kept: bool


class Workshop:
    """Makes image requests beside the signed pictures, and never in their place.

    It has half as many renderers and an eighth of the threads for itself, and a disk cache with
    its own limit. Nothing is kept but what info.json lists.
    """

    def __init__(
        self, config: EdgeConfig, source: Source, marker: Marker, metrics: Metrics
    ) -> None:
        self._source, self._marker, self._metrics = source, marker, metrics
        self._limits = Limits.of(config)
        self._deadline = config.deadline
        self._effort = Effort(webp=config.webp_effort)
        self._rates = Rates(config.iiif_rate, config.iiif_burst)
        self.disk = DiskCache(config.cache / "iiif", config.iiif_disk_bytes)
        self._gate = Gate(max(1, config.renderers // 2), max(1, config.threads // 8))
        self._flights: SingleFlight[tuple[Picture, str, Stages]] = SingleFlight()
        self._locks = FileLocks(config.cache / "locks")
        self._renderer = Renderer()

    def get(self, job: Job, visitor: str) -> tuple[Picture, str, Stages]:
        """The picture, where it came from (disk, shared or made), and times spent.

        Raises Refusal: also 429 for a visitor who has too many made.
        """
        key = self._key(job)
        if job.is_kept:
            found = self.disk.get(key)
            if found is not None:
                return found, "disk", {}
        self._rates.take(visitor)
        deadline = time.monotonic() + self._deadline
        with self._gate.crowd():
            result, is_leader = self._flights.run(
                key.digest, lambda: self._make_once(job, key, deadline), deadline
            )
        picture, origin, stages = result
        return picture, origin if is_leader else "shared", dict(stages)

    def sidecar(self, asset: str, version: GrantedVersion, pair: str) -> Picture:
        """The sidecar of bytes that are kept. Raises NotDeliverable (404)."""
        picture = self.disk.find(asset, version.sha256[:16], pair)
        if picture is None:
            raise NotDeliverable(404, "unknown-sidecar", "these bytes have no sidecar here")
        return Picture.of(picture.sidecar)

    def _make_once(
        self, job: Job, key: CacheKey, deadline: float
    ) -> tuple[Picture, str, Stages]:
        watch = Stopwatch(self._metrics)
        queued = time.perf_counter()
        with self._locks.hold(key.digest, deadline), self._gate.slot(deadline):
            watch.note("queue", queued)
            found = self.disk.get(key) if job.is_kept else None
            if found is not None:
                return found, "disk", watch.stages
            made = self._make(job, watch)
            if job.is_kept and not self.disk.put(key, made) and made.sidecar:
                made = self._make(job, watch, beside=False)  # nobody would find the sidecar
        return made, "made", watch.stages

    def _make(self, job: Job, watch: Stopwatch, *, beside: bool = True) -> Picture:
        version, request = job.version, job.request
        with watch.stage("read"):
            master = self._source.master(version)
            header = read_header(master, self._limits)
            if (header.width, header.height) != (version.width, version.height):
                raise SourceUnusable(502, "source-damaged", "the master has another size")
        with watch.stage("render"):
            image = self._renderer.render(version.sha256, master, header, request, job.cut)
        with watch.stage("encode"):
            quality = native_quality(None, request.extension)
            packet = self._marker.packet(version)
            body = save(
                image,
                request.extension,
                quality,
                self._effort,
                packet,
                self._marker.keeps_all,
            )
        with watch.stage("sign"):
            picture = self._marker.sign(
                body,
                request.extension,
                version,
                master,
                _actions(job, header.mime),
                beside=beside and job.is_kept,
            )
        self._metrics.renders.labels(request.extension).inc()
        return picture

    def _key(self, job: Job) -> CacheKey:
        """Names everything that shapes the bytes: pixels, marking, settings."""
        version = job.version
        parts = RECIPE, version.sha256, job.request, job.cut, self._marker.digest(version)
        text = "\n".join(map(str, (*parts, self._effort, self._marker.placing)))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return CacheKey(job.asset, version.sha256[:16], digest)


def _actions(job: Job, mime: str) -> tuple[str, ...]:
    """The C2PA actions that the picture stands for, in the order they were done."""
    box, request, version = job.cut.box, job.request, job.version
    actions = []
    if (box.width, box.height) != (version.width, version.height):
        actions.append("c2pa.cropped")
    if (job.cut.width, job.cut.height) != (box.width, box.height):
        actions.append("c2pa.resized")
    if request.rotation or request.mirrored:
        actions.append("c2pa.orientation")
    if request.quality != "default":
        actions.append("c2pa.color_adjustments")
    if mime != MIME_TYPES[request.extension] or not actions:
        actions.append("c2pa.transcoded")
    return tuple(actions)
