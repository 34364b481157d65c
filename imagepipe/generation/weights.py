"""Model folders in the diffusers layout: what is safe to load, and their content hash.

Checked before any library reads the folder: an index, no Python code, and safetensors
for every component that has weights (pickled weights can run code when they are loaded).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from imagepipe.generation.exceptions import InvalidModel, ModelNotFound, UnsafeModel
from imagepipe.registry.folders import content_sha256

__all__ = [
    "check_safe", "content_sha256", "find_folder", "read_configuration", "read_index",
]  # fmt: skip

INDEX = "model_index.json"
PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl"})
MAX_CONFIGURATION_BYTES = 64 * 1024 * 1024
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def find_folder(location: str) -> Path | None:
    """Return the folder that ``location`` names, or None when it is a hub id.

    Raises :class:`ModelNotFound` when it is neither.
    """
    if not location or "\0" in location:
        raise ModelNotFound("The model has no location. Give a folder or a hub id.")
    folder = Path(location).expanduser()
    if folder.is_dir():
        return folder
    if _HUB_ID.fullmatch(location) and ".." not in location:
        return None
    raise ModelNotFound(f"The model folder “{location}” does not exist.")


def read_index(folder: Path) -> dict[str, Any]:
    """Return the parsed ``model_index.json``. Raises :class:`InvalidModel`."""
    return read_configuration(folder / INDEX)


def read_configuration(path: Path) -> dict[str, Any]:
    """Return one configuration file as a dictionary. Raises :class:`InvalidModel`."""
    label = f"{path.parent.name}/{path.name}"
    try:
        if path.stat().st_size > MAX_CONFIGURATION_BYTES:
            raise InvalidModel(f"{label} is too large for a configuration.")
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidModel(
            f"{label} is missing: this is not a complete model folder."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidModel(f"{label} cannot be read: {type(error).__name__}.") from error
    if not isinstance(document, dict):
        raise InvalidModel(f"{label} is not a configuration.")
    return document


def check_safe(folder: Path) -> None:
    """Raise :class:`UnsafeModel` for code or for weights that are only there pickled."""
    pickled: dict[Path, str] = {}
    safe: set[Path] = set()
    for path in _files(folder):
        if path.suffix == ".py":
            raise UnsafeModel(
                f"The model brings its own code ({path.relative_to(folder)}), "
                "which is never run."
            )
        if path.suffix == ".safetensors":
            safe.add(path.parent)
        elif path.suffix in PICKLE_SUFFIXES:
            pickled[path.parent] = path.relative_to(folder).as_posix()
    for parent, name in sorted(pickled.items()):
        if parent not in safe:
            raise UnsafeModel(
                f"The weights {name} are not safetensors. "
                "Convert the model to safetensors first."
            )
    if not safe:
        raise InvalidModel("The model folder holds no weights (no .safetensors file).")


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]
