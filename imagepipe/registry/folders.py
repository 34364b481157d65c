"""What a model folder in the diffusers layout is, read from its files without loading it.

Only safetensors are accepted: other weight formats can run code when they are read, and so
can Python files in a model folder.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagepipe.exceptions import ImagepipeError

INDEX = "model_index.json"
HASHED_SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".model"})
REFUSED_SUFFIXES = frozenset(
    {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack"}
)
MAX_CONFIGURATION_BYTES = 4 * 1024 * 1024
FAMILIES = (
    ("StableDiffusionXL", "sdxl"),
    ("StableDiffusion3", "sd3"),
    ("StableDiffusion", "sd"),
    ("Flux", "flux"),
    ("PixArt", "pixart"),
    ("LatentConsistency", "lcm"),
    ("Kandinsky", "kandinsky"),
    ("DDPM", "ddpm"),
    ("DiT", "dit"),
)
"""Start of the pipeline's class name to family; the first match counts."""

_hashes: dict[tuple[str, int, int], str] = {}
_lock = threading.Lock()


class UnusableFolder(ImagepipeError):
    """The folder is not a model that may be registered; the message says why."""

    code = "unusable-folder"


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """``native_width`` and ``native_height`` are pixels, None when the files do not say."""

    pipeline: str
    family: str
    native_width: int | None
    native_height: int | None
    sha256: str
    byte_count: int


def describe(folder: Path) -> FolderFacts:
    """Return what is in the folder. Raises :class:`UnusableFolder`."""
    if not folder.is_dir():
        raise UnusableFolder(f"There is no folder “{folder}”.")
    pipeline = read_json(folder / INDEX).get("_class_name")
    if not isinstance(pipeline, str) or not pipeline.isidentifier():
        raise UnusableFolder(f"{INDEX} does not name a pipeline (“_class_name”).")
    files = model_files(folder)
    check_files(folder, files)
    side = _native_side(folder)
    return FolderFacts(
        pipeline=pipeline,
        family=family_of(pipeline),
        native_width=side,
        native_height=side,
        sha256=content_sha256(folder),
        byte_count=sum(path.stat().st_size for path in files),
    )


def check_files(folder: Path, files: list[Path]) -> None:
    """Raise :class:`UnusableFolder` for code, unsafe weights, or none at all."""
    for path in files:
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() == ".py":
            raise UnusableFolder(f"The folder holds code ({name}), which is never run.")
        if path.suffix.lower() in REFUSED_SUFFIXES:
            raise UnusableFolder(
                f"{name} is not safetensors. Convert the weights and remove the file."
            )
    if not any(path.suffix == ".safetensors" for path in files):
        raise UnusableFolder("The folder holds no weights (no .safetensors file).")


def family_of(pipeline: str) -> str:
    """Return the family of a pipeline class, or the class name in small letters."""
    known = (family for start, family in FAMILIES if pipeline.startswith(start))
    return next(known, pipeline.lower()[:40])


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


def read_json(path: Path) -> dict[str, Any]:
    """Return one configuration file. Raises :class:`UnusableFolder`."""
    try:
        if path.stat().st_size > MAX_CONFIGURATION_BYTES:
            raise UnusableFolder(f"{path.name} is too large for a configuration.")
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UnusableFolder(f"{path.name} is missing: not a complete model folder.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableFolder(f"{path.name} cannot be read.") from error
    if not isinstance(document, dict):
        raise UnusableFolder(f"{path.name} is not a configuration.")
    return document


def _native_side(folder: Path) -> int | None:
    decoder = _optional(folder / "vae" / "config.json")
    widths = decoder.get("block_out_channels") or decoder.get("decoder_block_out_channels")
    scale = 2 ** (len(widths) - 1) if isinstance(widths, list) and 1 < len(widths) < 8 else 8
    denoisers = (_optional(folder / name / "config.json") for name in ("unet", "transformer"))
    side = next((found for d in denoisers if (found := d.get("sample_size"))), None)
    return side * scale if isinstance(side, int) and 0 < side < 4096 else None


def _optional(path: Path) -> dict[str, Any]:
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
