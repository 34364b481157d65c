"""The kinds of model that the registry carries, and which one a folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from imagepipe.registry import captioners, companions
from imagepipe.registry.folders import INDEX, UnusableFolder, read_optional_json
from imagepipe.registry.tensors import Tensors


class Kind(StrEnum):
    """What a model is for; only checkpoints make pictures by themselves."""

    CHECKPOINT = "checkpoint"
    CONTROLNET = "controlnet"
    LORA = "lora"
    EMBEDDING = "embedding"
    IP_ADAPTER = "ip-adapter"
    CLIP = "clip"
    CAPTIONER = "captioner"


MAX_BYTES = {
    Kind.CONTROLNET: 32 * 1024**3,
    Kind.LORA: 8 * 1024**3,
    Kind.EMBEDDING: 16 * 1024**2,
    Kind.IP_ADAPTER: 32 * 1024**3,
    Kind.CLIP: 32 * 1024**3,
    Kind.CAPTIONER: 32 * 1024**3,
}
"""The whole folder; nothing of the kind is larger. Checkpoints may have any size."""


def recognise(folder: Path, weights: Mapping[str, Tensors]) -> Kind:
    """Return the kind that the files leave no doubt about. Raises :class:`UnusableFolder`.

    ``weights``: the tensors of each safetensors file, by its path in the folder.
    """
    if (folder / INDEX).exists():
        return Kind.CHECKPOINT
    configuration = read_optional_json(folder / "config.json")
    tensors = next(iter(weights.values())) if len(weights) == 1 else {}
    signs = {
        Kind.CONTROLNET: companions.is_controlnet(configuration),
        Kind.IP_ADAPTER: companions.is_ip_adapter(weights),
        Kind.CLIP: companions.is_clip(configuration),
        Kind.CAPTIONER: captioners.is_captioner(configuration),
        Kind.LORA: companions.is_lora(tensors),
        Kind.EMBEDDING: companions.is_embedding(tensors),
    }
    found = [kind for kind, sign in signs.items() if sign]
    if len(found) != 1:
        raise UnusableFolder(
            f"What kind of model this is cannot be told from its files: no {INDEX}, and "
            f"{' and '.join(found) if found else 'nothing else that says it'}. "
            f"Say it with --kind: {', '.join(Kind)}."
        )
    return found[0]
