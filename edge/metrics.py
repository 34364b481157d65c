"""Numbers for Prometheus; with several processes they are added up through shared files."""

from __future__ import annotations

import contextlib
import os

from edge.config import METRICS_FOLDER
from edge.numbers import multiprocess, prometheus_client
from edge.responses import Response

CollectorRegistry = prometheus_client.CollectorRegistry
Counter, Gauge = prometheus_client.Counter, prometheus_client.Gauge
Histogram = prometheus_client.Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """All metrics of one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "imagepipe_edge_requests",
            "Answers by status, reason and where the picture came from.",
            ("status", "reason", "cache"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "imagepipe_edge_request_seconds",
            "Time to answer.",
            ("cache",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.renders = Counter(
            "imagepipe_edge_renders", "Pictures made.", ("format",), registry=registry
        )
        self.stage_seconds = Histogram(
            "imagepipe_edge_stage_seconds",
            "Time spent in one stage of making a picture.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.probes = Histogram(
            "imagepipe_edge_quality_probes",
            "Encodings tried until the quality was right.",
            ("format",),
            buckets=(1, 2, 3),
            registry=registry,
        )
        self.signatures = Counter(
            "imagepipe_edge_signatures",
            "Content credentials by outcome: embedded, sidecar, failed, off.",
            ("outcome",),
            registry=registry,
        )
        self.credential_bytes = Counter(
            "imagepipe_edge_credential_bytes",
            "Bytes of content credentials made, by place: embedded, sidecar.",
            ("place",),
            registry=registry,
        )
        self.sent_bytes = Counter(
            "imagepipe_edge_sent_bytes",
            "Bytes of pictures and sidecars (c2pa) sent.",
            ("format",),
            registry=registry,
        )
        self.waiting = Gauge(
            "imagepipe_edge_waiting",
            "Requests that wait for a picture to be made.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.feed_fresh = Gauge(
            "imagepipe_edge_feed_fresh",
            "1 while every process has read the feed lately.",
            multiprocess_mode="livemin",
            registry=registry,
        )

        self.bytes_held = Gauge(
            "imagepipe_edge_memory_bytes",
            "Bytes of finished pictures in memory: answers, pictures.",
            ("kind",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.grants_held = Gauge(
            "imagepipe_edge_grants",
            "Grants in memory.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.resident = Gauge(
            "imagepipe_edge_resident_bytes",
            "Resident memory of the processes.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.saved_bytes = Counter(
            "imagepipe_edge_saved_bytes",
            "Bytes that made pictures are smaller than their masters.",
            ("format",),
            registry=registry,
        )

    def count(self, response: Response, seconds: float) -> None:
        """One answer."""
        labels = str(response.status), response.reason, response.cache
        self.requests.labels(*labels).inc()
        self.request_seconds.labels(response.cache).observe(seconds)
        if response.status in (200, 206):
            kind = response.note.get("format", "")
            self.sent_bytes.labels(kind).inc(len(response.body))

    def count_hits(self, counts: list[tuple[Response, int]]) -> None:
        """Answers that were only repeated; their times are not measured one by one."""
        for response, number in counts:
            self.requests.labels("200", "ok", "memory").inc(number)
            kind = response.note.get("format", "")
            self.sent_bytes.labels(kind).inc(number * len(response.body))

    def note_memory(self, answers: int, pictures: int, grants: int) -> None:
        """What this process holds."""
        self.bytes_held.labels("answers").set(answers)
        self.bytes_held.labels("pictures").set(pictures)
        self.grants_held.set(grants)
        with contextlib.suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
            self.resident.set(pages * os.sysconf("SC_PAGE_SIZE"))

    def text(self) -> bytes:
        """The numbers of all processes in Prometheus' text format."""
        registry = self.registry
        if os.environ.get(METRICS_FOLDER):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return bytes(prometheus_client.generate_latest(registry))
