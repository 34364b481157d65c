"""What a model folder is: kind, family, size, hash. Nothing is loaded or executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imagepipe.registry.captioners import read_captioner
from imagepipe.registry.companions import (
    read_clip,
    read_controlnet,
    read_embedding,
    read_ip_adapter,
    read_lora,
)
from imagepipe.registry.folders import (
    INDEX,
    UnusableFolder,
    check_files,
    content_sha256,
    model_files,
    read_json,
    read_optional_json,
)
from imagepipe.registry.kinds import MAX_BYTES, Kind, recognise
from imagepipe.registry.tensors import Tensors, read_tensors

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


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """``family`` is empty and ``native_side`` (pixels) None when the files do not say."""

    kind: Kind
    family: str
    native_side: int | None
    sha256: str
    byte_count: int


def describe(folder: Path, kind: Kind | None = None) -> FolderFacts:
    """Return what is in the folder. Raises :class:`UnusableFolder`.

    Without ``kind`` the files must leave no doubt about it.
    """
    if not folder.is_dir():
        raise UnusableFolder(f"There is no folder “{folder}”.")
    files = model_files(folder)
    check_files(folder, files)
    weights = {
        path.relative_to(folder).as_posix(): read_tensors(path)
        for path in files
        if path.suffix == ".safetensors"
    }
    kind = kind or recognise(folder, weights)
    byte_count = sum(path.stat().st_size for path in files)
    if kind in MAX_BYTES and byte_count > MAX_BYTES[kind]:
        raise UnusableFolder(f"The folder is too large for the kind “{kind}”.")
    family, side = _read(folder, kind, weights)
    return FolderFacts(kind, family, side, content_sha256(folder), byte_count)


def family_of(pipeline: str) -> str:
    """Return the family of a pipeline class, or the class name in small letters."""
    known = (family for start, family in FAMILIES if pipeline.startswith(start))
    return next(known, pipeline.lower()[:40])


def _read(folder: Path, kind: Kind, weights: dict[str, Tensors]) -> tuple[str, int | None]:
    if kind is Kind.CONTROLNET:
        return read_controlnet(folder, weights), None
    if kind is Kind.LORA:
        read_lora(folder, weights)
        return "", None
    if kind is Kind.EMBEDDING:
        read_embedding(folder, weights)
        return "", None
    if kind is Kind.IP_ADAPTER:
        return read_ip_adapter(folder, weights), None
    if kind is Kind.CLIP:
        return "clip", read_clip(folder, weights)
    if kind is Kind.CAPTIONER:
        return "blip", read_captioner(folder, weights)
    return _read_checkpoint(folder)


def _read_checkpoint(folder: Path) -> tuple[str, int | None]:
    index = read_json(folder / INDEX)
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or not pipeline.isidentifier():
        raise UnusableFolder(f"{INDEX} does not name a pipeline (“_class_name”).")
    if not all(name.isidentifier() for name in index):
        raise UnusableFolder(f"{INDEX} names a component that is no plain folder.")
    return family_of(pipeline), _native_side(folder)


def _native_side(folder: Path) -> int | None:
    decoder = read_optional_json(folder / "vae" / "config.json")
    widths = decoder.get("block_out_channels") or decoder.get("decoder_block_out_channels")
    scale = 2 ** (len(widths) - 1) if isinstance(widths, list) and 1 < len(widths) < 8 else 8
    denoisers = (
        read_optional_json(folder / name / "config.json") for name in ("unet", "transformer")
    )
    side = next((found for d in denoisers if (found := d.get("sample_size"))), None)
    return side * scale if isinstance(side, int) and 0 < side < 4096 else None
