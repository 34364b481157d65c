"""Making the bytes of one picture: quickly for somebody who waits, or settled for keeps."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from edge.autoquality import BOUNDS, search
from edge.cache import Picture
from edge.config import EdgeConfig
from edge.encode import DEFAULT_QUALITY, Effort, encode
from edge.exceptions import SourceUnusable
from edge.marking import Marker, actions_of
from edge.metrics import Metrics
from edge.moving import moves, render_moving
from edge.render import Base, Header, Limits, flatten, page_of, read_header, render
from edge.scene import scene_of
from edge.sources import Source
from edge.stages import Stopwatch
from edge.vips import pyvips
from imagepipe.grants import GrantedVersion
from imagepipe.urlspec import FORMATS, MIME_TYPES, Plan, Transform

#: Part of every cache key: raise it when the same request would give other bytes.
RECIPE = 3
#: Seconds after which no further quality is tried for one picture.
SEARCH_SECONDS = 10.0
MOST_HEADERS = 50_000


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to deliver."""

    asset: str
    version: GrantedVersion
    transform: Transform
    extension: str
    moves: bool = False


class Maker:
    """Reads, renders, encodes and marks."""

    def __init__(
        self, config: EdgeConfig, source: Source, marker: Marker, metrics: Metrics
    ) -> None:
        self._source, self._marker, self._metrics = source, marker, metrics
        self._limits = Limits.of(config)
        self._target = config.quality_target
        self._quick = Effort(config.avif_effort, config.webp_effort)
        self._careful = Effort(
            config.settled_avif_effort, config.settled_webp_effort, trellis=True
        )
        self._settles = config.settle
        self._headers: dict[str, Header] = {}
        self._base: tuple[tuple[str, str, int], Base] | None = None
        self._base_lock = threading.Lock()

    def settles(self, job: Job) -> bool:
        """Whether better bytes follow the first ones."""
        return self._settles and job.extension in BOUNDS and not job.moves

    def settings(self, settled: bool) -> tuple[object, ...]:
        """What shapes the bytes besides the job and the marking."""
        if settled:
            return RECIPE, self._marker.placing, self._careful, self._target
        return RECIPE, self._marker.placing, self._quick, DEFAULT_QUALITY

    def known_header(self, version: GrantedVersion) -> Header | None:
        """What `header` tells, if somebody has looked before."""
        return self._headers.get(version.sha256)

    def header(self, version: GrantedVersion) -> Header:
        """What is known of a master before it is decoded. Raises SourceUnusable."""
        return self._header(version, self._source.master(version))

    def _header(self, version: GrantedVersion, master: bytes) -> Header:
        """Looked at once: the master is verified to be the bytes of this hash."""
        known = self._headers.get(version.sha256)
        if known is None:
            known = read_header(master, self._limits)
            if len(self._headers) >= MOST_HEADERS:
                self._headers.clear()
            self._headers[version.sha256] = known
        return known

    def moves(self, version: GrantedVersion, transform: Transform, header: Header) -> bool:
        """Whether a transform of a master is delivered as an animation."""
        return moves(header, transform, scene_of(version), self._limits)

    def forget(self) -> None:
        """Drop the decode that settled pictures share."""
        with self._base_lock:
            self._base = None

    def first(self, job: Job, watch: Stopwatch) -> Picture:
        """Bytes by quick encoders at a fixed quality. Raises SourceUnusable."""
        master, header = self._read(job, watch)
        with watch.stage("render"):
            make = render_moving if job.moves else render
            image, todo = make(master, header, job.transform, scene_of(job.version))
        with watch.stage("encode"):
            body = encode(
                image,
                job.extension,
                packet=self._marker.packet(job.version),
                quality=job.transform.quality,
                background=job.transform.background,
                effort=self._quick,
                keeps_all=self._marker.keeps_all,
            )
        return self._mark(job, body, master, header, todo, watch)

    def settled(self, job: Job, watch: Stopwatch) -> Picture:
        """Bytes worth keeping: slower encoders, at the quality that this picture needs.

        Renditions of one master that follow each other share its decode. Where the quality is
        set by the address it is kept. Raises SourceUnusable.
        """
        master, header = self._read(job, watch)
        with watch.stage("render"):
            base = self._base_of(job, master, header)
            image, todo = render(master, header, job.transform, scene_of(job.version), base)
            if image.hasalpha() and not FORMATS[job.extension].has_alpha:
                image = flatten(image, job.transform.background)
        with watch.stage("encode"):
            body = self._settle(job, image)
        return self._mark(job, body, master, header, todo, watch)

    def _settle(self, job: Job, image: pyvips.Image) -> bytes:
        packet, quality = self._marker.packet(job.version), job.transform.quality
        if quality is not None or not self._target or job.transform.profile != "srgb":
            return encode(
                image,
                job.extension,
                packet=packet,
                quality=quality,
                effort=self._careful,
                keeps_all=self._marker.keeps_all,
            )
        found = search(
            image,
            job.extension,
            self._target,
            self._careful,
            packet=packet,
            keeps_all=self._marker.keeps_all,
            seconds=SEARCH_SECONDS,
        )
        self._metrics.probes.labels(job.extension).observe(found.probes)
        return found.body

    def _read(self, job: Job, watch: Stopwatch) -> tuple[bytes, Header]:
        with watch.stage("read"):
            master = self._source.master(job.version)
            header = self._header(job.version, master)
            if header.mime != job.version.mime:
                raise SourceUnusable(502, "source-damaged", "the master is of another type")
        return master, header

    def _base_of(self, job: Job, master: bytes, header: Header) -> Base:
        page = page_of(job.transform, header)
        key = job.version.sha256, job.transform.profile, page
        with self._base_lock:
            if self._base is None or self._base[0] != key:
                self._base = None
                self._base = key, Base(master, header, job.transform.profile, page)
            return self._base[1]

    def _mark(
        self,
        job: Job,
        body: bytes,
        master: bytes,
        header: Header,
        todo: Plan,
        watch: Stopwatch,
    ) -> Picture:
        size = header.width, header.height
        actions = actions_of(todo, size, header.mime, MIME_TYPES[job.extension])
        with watch.stage("sign"):
            picture = self._marker.sign(body, job.extension, job.version, master, actions)
        self._metrics.renders.labels(job.extension).inc()
        saved = max(0, len(master) - len(picture.body))
        self._metrics.saved_bytes.labels(job.extension).inc(saved)
        return picture
