"""Which checks exist. Built-ins, settings and entry points use the same door.

A check is registered as a class or as ``"module:Class"``; distributions announce theirs
under the entry point group ``imagepipe.checks``.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from imagepipe.quality.protocol import Check

ENTRY_POINT_GROUP = "imagepipe.checks"

Factory = Callable[..., Check]

_factories: dict[str, str | Factory] = {}
_lock = threading.Lock()
_discovered = False


def register(slug: str, factory: str | Factory) -> None:
    """Make a check known; a later registration replaces an earlier one."""
    if not slug or not slug.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"“{slug}” is not a check name: use letters, digits and hyphens.")
    with _lock:
        _factories[slug] = factory


def available() -> tuple[str, ...]:
    """Return the names of all registered checks, sorted; imports none of them."""
    with _lock:
        _discover()
        return tuple(sorted(_factories))


def build(slug: str, /, **options: Any) -> Check:
    """Return a new check with its options, for example ``build("nsfw", threshold=0.3)``.

    Raises ``LookupError`` for a name that nobody registered.
    """
    with _lock:
        _discover()
        factory = _factories.get(slug)
    if factory is None:
        raise LookupError(f"There is no check “{slug}”. Known are: {', '.join(available())}.")
    if isinstance(factory, str):
        module, _, attribute = factory.partition(":")
        factory = getattr(importlib.import_module(module), attribute)
    return factory(**options)


def _discover() -> None:
    global _discovered
    if not _discovered:
        _discovered = True
        for point in entry_points(group=ENTRY_POINT_GROUP):
            _factories.setdefault(point.name, point.value)


register("technical", "imagepipe.quality.technical:TechnicalQuality")
register("nsfw", "imagepipe.quality.nsfw:UnsafeContent")
register("prompt-match", "imagepipe.quality.prompt_match:PromptMatch")
register("duplicates", "imagepipe.quality.duplicates:NearDuplicates")
