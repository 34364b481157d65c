"""Numbers for Prometheus; with several processes they are added up through shared files."""

from __future__ import annotations

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from edge.config import METRICS_FOLDER

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
        self.signatures = Counter(
            "imagepipe_edge_signatures",
            "Content credentials by outcome: signed, failed, off.",
            ("outcome",),
            registry=registry,
        )
        self.sent_bytes = Counter(
            "imagepipe_edge_sent_bytes",
            "Bytes of pictures sent.",
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

    def text(self) -> bytes:
        """The numbers of all processes in Prometheus' text format."""
        registry = self.registry
        if os.environ.get(METRICS_FOLDER):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return bytes(generate_latest(registry))
