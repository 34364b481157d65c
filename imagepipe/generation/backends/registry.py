"""Which backends exist. Built-ins, settings and entry points use the same door.

A backend is registered as a class or as ``"module:Class"``, which is imported when the
backend is first used. Distributions announce theirs under the entry point group
``imagepipe.backends``.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Hashable, Mapping
from importlib.metadata import entry_points
from typing import Any

from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.exceptions import BackendUnavailable, UnknownBackend

ENTRY_POINT_GROUP = "imagepipe.backends"

Factory = Callable[..., Backend]

_factories: dict[str, str | Factory] = {}
_instances: dict[tuple[str, Hashable], Backend] = {}
_lock = threading.RLock()
_discovered = False


def register(name: str, factory: str | Factory) -> None:
    """Make a backend known; a later registration replaces an earlier one."""
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"“{name}” is not a backend name: use letters, digits and hyphens.")
    with _lock:
        _factories[name] = factory
        for key in [key for key in _instances if key[0] == name]:
            del _instances[key]


def register_all(factories: Mapping[str, str]) -> None:
    """Register the backends of a settings dictionary: name to ``"module:Class"``."""
    for name, factory in factories.items():
        register(name, factory)


def available() -> tuple[str, ...]:
    """Return the names of all registered backends, sorted; imports none of them."""
    with _lock:
        _discover()
        return tuple(sorted(_factories))


def get(name: str, /, **options: Any) -> Backend:
    """Return the backend, made once per set of options.

    Raises :class:`UnknownBackend`, or :class:`BackendUnavailable` when its software is
    missing or an option is unknown.
    """
    key = (name, _frozen(options))
    with _lock:
        _discover()
        if key not in _instances:
            _instances[key] = make(name, **options)
        return _instances[key]


def _frozen(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(item)) for name, item in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item) for item in value)
    return (type(value), value)


def make(name: str, /, **options: Any) -> Backend:
    """As :func:`get`, but a new backend each time, which the caller keeps."""
    with _lock:
        _discover()
        factory = _factories.get(name)
    if factory is None:
        known = ", ".join(available())
        raise UnknownBackend(f"There is no backend “{name}”. Known are: {known}.")
    return _make(name, factory, options)


def _make(name: str, factory: str | Factory, options: dict[str, Any]) -> Backend:
    try:
        return _resolve(factory)(**options)
    except ImportError as error:
        raise BackendUnavailable(
            f"The backend “{name}” cannot be used: {error.name or error} is not installed."
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BackendUnavailable(f"The backend “{name}” is set up wrongly: {error}") from error


def _resolve(factory: str | Factory) -> Factory:
    if not isinstance(factory, str):
        return factory
    module, _, attribute = factory.partition(":")
    if not attribute:
        module, _, attribute = factory.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _discover() -> None:
    global _discovered
    if _discovered:
        return
    _discovered = True
    for point in entry_points(group=ENTRY_POINT_GROUP):
        _factories.setdefault(point.name, point.value)


register("fake", "imagepipe.generation.backends.fake:FakeBackend")
register("ground", "imagepipe.generation.backends.ground:GroundBackend")
register("automatic1111", "imagepipe.generation.backends.automatic1111:Automatic1111Backend")
register("comfyui", "imagepipe.generation.backends.comfyui:ComfyUIBackend")
register("openai-images", "imagepipe.generation.backends.openai_images:OpenAIImagesBackend")
register("diffusers", "imagepipe.generation.backends.diffusers:DiffusersBackend")
