"""Models that write captions for pictures (BLIP). Nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagepipe.registry.companions import Weights, refuse_pipeline
from imagepipe.registry.folders import UnusableFolder, read_json

_PARTS = ("vision_model.", "text_decoder.")


def is_captioner(configuration: Mapping[str, Any]) -> bool:
    architectures = configuration.get("architectures")
    return (
        configuration.get("model_type") == "blip"
        and isinstance(architectures, list)
        and "BlipForConditionalGeneration" in architectures
    )


def read_captioner(folder: Path, weights: Weights) -> int:
    """Return the side of the pictures that it looks at, in pixels.

    Raises :class:`UnusableFolder` where configuration, files or tensors are not those of one.
    """
    configuration = read_json(folder / "config.json")
    if not is_captioner(configuration):
        raise UnusableFolder(
            "config.json does not describe a captioning model (“BlipForConditionalGeneration”)."
        )
    refuse_pipeline(folder)
    if set(weights) != {"model.safetensors"}:
        raise UnusableFolder("A captioning model has its weights in model.safetensors alone.")
    read_json(folder / "preprocessor_config.json")
    if not ((folder / "tokenizer.json").is_file() or (folder / "vocab.txt").is_file()):
        raise UnusableFolder("The tokenizer is missing (tokenizer.json).")
    tensors = weights["model.safetensors"]
    if not all(any(name.startswith(part) for name in tensors) for part in _PARTS):
        raise UnusableFolder("The weights are not those of the model in config.json.")
    vision = configuration.get("vision_config")
    side = vision.get("image_size") if isinstance(vision, dict) else None
    if type(side) is not int or not 16 <= side <= 4096:
        raise UnusableFolder("config.json does not say how large the pictures are.")
    return side
