"""Which files of a hub's repository are fetched: safetensors and configurations, one variant.

Everything else stays where it is: code, other weight formats, pictures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from imagepipe.registry.folders import HASHED_SUFFIXES, INDEX, MAX_FILES, UnusableFolder

WORDS = ("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE.md")
_PART = re.compile(r"[\w][\w.@+ -]{0,150}")
_SHARD = re.compile(r"-\d{5}-of-\d{5}")


def choose_files(
    sizes: Mapping[str, int | None], index: Mapping[str, Any] | None, variant: str = ""
) -> dict[str, int]:
    """Return path and bytes of what is fetched. Raises :class:`UnusableFolder`.

    ``index``: the content of ``model_index.json``, where there is one; then only the folders
    that it names count. ``variant``: such as ``fp16``, in each folder that has it.
    """
    if len(sizes) > MAX_FILES:
        raise UnusableFolder("The repository holds too many files for a model.")
    parts = {name for name, value in (index or {}).items() if isinstance(value, list)}
    groups: dict[str, list[str]] = {}
    for path in sizes:
        pure = PurePosixPath(path)
        if str(pure) != path or not all(_PART.fullmatch(part) for part in pure.parts):
            continue
        folder = "" if len(pure.parts) == 1 else pure.parts[0]
        if len(pure.parts) > 2 or (folder and folder not in parts):
            continue
        if pure.suffix in HASHED_SUFFIXES or path in WORDS:
            groups.setdefault(folder, []).append(path)
    if index is not None:
        # A checkpoint of one file, beside the folders, is a second copy.
        top = groups.get("", [])
        groups[""] = [path for path in top if path in (INDEX, *WORDS)]
    chosen = [path for group in groups.values() for path in _of_variant(group, variant)]
    if not any(path.endswith(".safetensors") for path in chosen):
        raise UnusableFolder("The repository holds no weights as safetensors.")
    unknown = [path for path in chosen if sizes[path] is None]
    if unknown:
        raise UnusableFolder(f"The hub does not say how large {unknown[0]} is.")
    return {path: int(sizes[path] or 0) for path in sorted(chosen)}


def variant_of(path: str) -> str:
    """Return the variant that a weight's name says: ``fp16`` of ``model.fp16.safetensors``."""
    name = PurePosixPath(path).name.removesuffix(".index.json").removesuffix(".safetensors")
    words = _SHARD.sub("", name).split(".")[1:]
    return words[-1] if words else ""


def _of_variant(paths: list[str], variant: str) -> list[str]:
    weights = [path for path in paths if ".safetensors" in path]
    others = [path for path in paths if path not in weights]
    known = {variant_of(path) for path in weights}
    if not weights:
        return others
    wanted = variant if variant in known else ""
    if wanted not in known:
        names = ", ".join(sorted(known))
        raise UnusableFolder(f"The weights are there in these variants only: {names}.")
    return others + [path for path in weights if variant_of(path) == wanted]
