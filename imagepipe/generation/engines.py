"""The backends of the engines that were entered in the admin."""

from __future__ import annotations

import threading
from datetime import datetime

from imagepipe.generation import sealing
from imagepipe.generation.backends.address import parse_address
from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.backends.registry import make
from imagepipe.generation.exceptions import BackendUnavailable
from imagepipe.generation.models import Engine

HERE = ("fake", "diffusers")
"""Backends that need no server; their names stay theirs."""
_made: dict[int, tuple[datetime, Backend]] = {}
_lock = threading.Lock()


def find_backend(name: str) -> Backend | None:
    """Return the backend of the engine with that name; None when there is no such engine.

    Raises ``BackendUnavailable`` when it is disabled or set up wrongly.
    """
    engine = Engine.objects.filter(name=name).first()
    if engine is None:
        return None
    if not engine.enabled:
        raise BackendUnavailable(f"The engine “{name}” is disabled.")
    with _lock:
        changed_at, backend = _made.get(engine.pk, (None, None))
        if backend is None or changed_at != engine.changed_at:
            backend = build(engine, open_key(engine))
            _made[engine.pk] = (engine.changed_at, backend)
        return backend


def build(engine: Engine, key: str = "") -> Backend:
    """Return a new backend; asks the engine nothing. Raises ``BackendUnavailable``."""
    return make(engine.kind, **(engine.options | {"address": engine.address, "key": key}))


def open_key(engine: Engine) -> str:
    return sealing.unseal(engine.sealed_key, context(engine)) if engine.has_key else ""


def seal_key(engine: Engine, key: str) -> str:
    return sealing.seal(key, context(engine)) if key else ""


def context(engine: Engine) -> str:
    """A key is for one engine at one place: whoever moves the address must know the key."""
    return engine.uid.hex + "/" + parse_address(engine.address).origin


def limits() -> dict[str, dict[str, int]]:
    """Return the limits of all engines that have one, as ``ENGINE_LIMITS`` writes them."""
    found = {}
    rows = Engine.objects.exclude(concurrent=None, per_minute=None)
    for name, concurrent, per_minute in rows.values_list("name", "concurrent", "per_minute"):
        values = {"concurrent": concurrent, "per_minute": per_minute}
        found[name] = {limit: value for limit, value in values.items() if value}
    return found
