"""What a purge says, and what a target of purges is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Purge:
    """Assets by uid with all their cache tags, further tags, or everything there is."""

    assets: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    everything: bool = False

    @property
    def all_tags(self) -> tuple[str, ...]:
        """What a cache that knows only tags is told: a version is purged with its asset."""
        assets = (*self.assets, *(version.partition(".")[0] for version in self.versions))
        return tuple(dict.fromkeys([*(f"asset-{asset}" for asset in assets), *self.tags]))


class PurgeFailed(Exception):
    """The target did not take the purge; the message is for operators and holds no secret."""


class Target(Protocol):
    """An edge or CDN. Purging twice is purging once."""

    def purge(self, order: Purge) -> None:
        """Forget. Returns when the target has taken the order. Raises PurgeFailed."""


class Options:
    """The settings of one target. A name ending in ``_file`` gives the content of that file."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {key: value for key, value in values.items() if key not in _COMMON}
        self._name = str(values.get("name") or values.get("kind"))
        self._read: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A value. Raises ImproperlyConfigured where it is needed and missing."""
        self._read |= {key, f"{key}_file"}
        if f"{key}_file" in self._values:
            path = Path(self._values[f"{key}_file"])
            try:
                return path.read_text("utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(
                    f"purge target {self._name}: {path} cannot be read: {error.strerror}"
                ) from None
        value = self._values.get(key, default)
        if value is None or value == "":
            if default is not None:
                return default
            raise ImproperlyConfigured(f"purge target {self._name}: {key} is missing")
        return str(value)

    def finish(self) -> None:
        """Raises ImproperlyConfigured for options that nobody has read."""
        if unknown := sorted(set(self._values) - self._read):
            raise ImproperlyConfigured(f"purge target {self._name}: unknown {unknown[0]}")


_COMMON = ("kind", "name", "probe")
