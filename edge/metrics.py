"""Counters for Prometheus; each worker process has its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = Counter(
            "imagepipe_edge_answers", "Answers", ["status", "reason"], registry=self._registry
        )
        self.renders = Counter(
            "imagepipe_edge_renders", "Pictures made", ["format"], registry=self._registry
        )
        self.render_seconds = Histogram(
            "imagepipe_edge_render_seconds", "Making a picture", registry=self._registry
        )
        self.cache_hits = Counter(
            "imagepipe_edge_cache_hits", "Pictures found ready", registry=self._registry
        )

    def text(self) -> bytes:
        return bytes(generate_latest(self._registry))
