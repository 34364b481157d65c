"""Facts about this machine and its libraries, for recipes."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from imagepipe.generation.decoding import Parameters, parameters


def library_versions(*names: str) -> Parameters:
    """Return name and version of each installed distribution, and of Python."""
    found: dict[str, str | int | float | bool | None] = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return parameters(found)


@cache
def processor_name() -> str:
    """Return the name of the processor, as exactly as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def platform_name() -> str:
    """Return system and machine type, for example ``Linux-x86_64``."""
    return f"{platform.system()}-{platform.machine()}"
