"""The delivery storage that the configuration names."""

from __future__ import annotations

from pathlib import Path

from edge.config import ConfigError, EdgeConfig, variable
from edge.origin import Origin
from edge.sources import FolderSource, Source


def open_source(config: EdgeConfig) -> Source:
    """Raises ConfigError for a storage that cannot be used."""
    place = config.storage
    if isinstance(place, Path):
        return FolderSource(place, config.max_source_bytes)
    if place.startswith(("http://", "https://")):
        from edge.http_source import HttpSource

        origin = Origin.of(place, config.origin_hosts, config.origin_private)
        return HttpSource(
            place, origin, config.max_source_bytes, config.poll, config.origin_timeout
        )
    try:
        from edge.object_source import ObjectSource
    except ImportError:
        raise ConfigError(
            f"{variable('storage')}: object stores need the package obstore"
        ) from None
    try:
        return ObjectSource(place, config.max_source_bytes, config.poll, config.origin_timeout)
    except ValueError as error:
        raise ConfigError(f"{variable('storage')}: {error}") from None
