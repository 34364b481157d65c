"""The files of a model folder: which are safe, and their content hash; nothing is loaded.

Only safetensors are accepted: other weight formats can run code when they are read, and so
can Python files in a model folder.
"""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from imagepipe.exceptions import ImagepipeError

INDEX = "model_index.json"
HASHED_SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".model"})
REFUSED_SUFFIXES = frozenset(
    {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack"}
)
MAX_CONFIGURATION_BYTES = 4 * 1024 * 1024
MAX_SHARD_INDEX_BYTES = 32 * 1024 * 1024
MAX_FILES = 5000
CODE_KEYS = frozenset({"auto_map", "auto_mapping", "custom_pipelines"})
"""Keys of configurations that name classes to be loaded from outside the libraries."""

_hashes: dict[tuple[str, int, int], str] = {}
_lock = threading.Lock()


class UnusableFolder(ImagepipeError):
    """The folder is not a model that may be registered; the message says why."""

    code = "unusable-folder"


def check_files(folder: Path, files: list[Path]) -> None:
    """Raise :class:`UnusableFolder` for code, ways out of the folder, or unsafe weights."""
    if len(files) > MAX_FILES:
        raise UnusableFolder("The folder holds too many files for a model.")
    _check_links(folder)
    for path in files:
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() == ".py":
            raise UnusableFolder(f"The folder holds code ({name}), which is never run.")
        if path.suffix.lower() in REFUSED_SUFFIXES:
            raise UnusableFolder(
                f"{name} is not safetensors. Convert the weights and remove the file."
            )
        if path.name.endswith("config.json") or path.name == INDEX:
            _check_configuration(path, name)
        elif path.name.endswith(".safetensors.index.json"):
            _check_shards(path, name)
    if not any(path.suffix == ".safetensors" for path in files):
        raise UnusableFolder("The folder holds no weights (no .safetensors file).")


def _check_links(folder: Path) -> None:
    """Files may be linked inside the folder, and to the blobs of a hub's cache."""
    root = folder.resolve()
    allowed = [root]
    if root.parent.name == "snapshots":
        allowed.append(root.parent.parent / "blobs")
    for path in folder.rglob("*"):
        if not path.is_symlink():
            continue
        try:
            target = path.resolve()
            leaves = not any(target.is_relative_to(place) for place in allowed)
        except (OSError, RuntimeError):
            leaves = True
        if leaves or target.is_dir():
            name = path.relative_to(folder).as_posix()
            raise UnusableFolder(
                f"{name} is a link to a folder, or to outside. Copy what it names."
            )


def _check_configuration(path: Path, name: str) -> None:
    parts: list[Any] = [read_json(path)]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if any(part.get(key) for key in CODE_KEYS):
                raise UnusableFolder(f"{name} names code of its own, which is never run.")
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def _check_shards(path: Path, name: str) -> None:
    shards = read_json(path, MAX_SHARD_INDEX_BYTES).get("weight_map")
    if not isinstance(shards, dict):
        raise UnusableFolder(f"{name} names no weights (“weight_map”).")
    for shard in {str(shard) for shard in shards.values()}:
        plain = not shard.startswith(".") and not set(shard) & set("/\\\0")
        if not (plain and shard.endswith(".safetensors") and (path.parent / shard).is_file()):
            raise UnusableFolder(f"{name} names weights that do not lie beside it.")


def content_sha256(folder: Path) -> str:
    """Return the SHA-256 over the sorted names and hashes of weights and configurations.

    One line ``<sha256 of file>  <relative path>`` per file. The hash of a file is remembered
    for as long as its size and modification time stay the same.
    """
    digest = hashlib.sha256()
    hashed = [path for path in model_files(folder) if path.suffix in HASHED_SUFFIXES]
    for path in sorted(hashed, key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{_file_sha256(path)}  {name}\n".encode())
    return digest.hexdigest()


def model_files(folder: Path) -> list[Path]:
    """Return all files below the folder, hidden ones left out."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]


def read_json(path: Path, max_bytes: int = MAX_CONFIGURATION_BYTES) -> dict[str, Any]:
    """Return one configuration file. Raises :class:`UnusableFolder`."""
    try:
        if path.stat().st_size > max_bytes:
            raise UnusableFolder(f"{path.name} is too large for a configuration.")
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UnusableFolder(f"{path.name} is missing: not a complete model folder.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableFolder(f"{path.name} cannot be read.") from error
    if not isinstance(document, dict):
        raise UnusableFolder(f"{path.name} is not a configuration.")
    return document


def read_optional_json(path: Path) -> dict[str, Any]:
    """Return one configuration file, or nothing where there is none."""
    return read_json(path) if path.is_file() else {}


def _file_sha256(path: Path) -> str:
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
    with _lock:
        known = _hashes.get(key)
    if known is None:
        with path.open("rb") as file:
            known = hashlib.file_digest(file, "sha256").hexdigest()
        with _lock:
            _hashes[key] = known
    return known
