"""What goes with a checkpoint, as a ControlNet or an IP-Adapter, or judges pictures (CLIP).

Each ``read_`` function raises :class:`UnusableFolder` where configuration, file names or
tensors are not those of its kind. One folder holds one model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagepipe.registry.folders import INDEX, UnusableFolder, read_json
from imagepipe.registry.tensors import FLOATS, Tensors

CONTROLNET_CLASS = re.compile(r"\w{0,40}ControlNet\w{0,40}", re.ASCII)
CONTROLNET_FAMILIES = (("Flux", "flux"), ("SD3", "sd3"), ("ControlNetUnion", "sdxl"))
LORA_PAIRS = (
    (".lora_A.", ".lora_B."),
    (".lora_down.", ".lora_up."),
    (".lora.down.", ".lora.up."),
    ("_lora.down.", "_lora.up."),
)
CLIP_PROJECTIONS = ("text_projection.weight", "visual_projection.weight")
CLIP_TOWERS = ("text_model.", "vision_model.")
IP_ADAPTER_PARTS = ("image_proj.", "ip_adapter.")
IP_ADAPTER_ENCODER = "image_encoder"
IP_ADAPTER_FAMILIES = {768: "sd", 2048: "sdxl"}
"""Width of the words that a checkpoint of the family reads."""
MAX_EMBEDDINGS = 16
MAX_VECTORS = 1024
VECTOR_SIDES = range(32, 16_385)

Weights = Mapping[str, Tensors]
"""Tensors of each safetensors file, by its path in the folder."""


def is_controlnet(configuration: Mapping[str, Any]) -> bool:
    name = configuration.get("_class_name")
    return isinstance(name, str) and CONTROLNET_CLASS.fullmatch(name) is not None


def is_clip(configuration: Mapping[str, Any]) -> bool:
    architectures = configuration.get("architectures")
    return (
        configuration.get("model_type") == "clip"
        and isinstance(architectures, list)
        and "CLIPModel" in architectures
    )


def is_lora(tensors: Tensors) -> bool:
    """Whether most tensors are pairs of matching low rank."""
    paired = 0
    for name, down in tensors.items():
        for first, second in LORA_PAIRS:
            if first not in name:
                continue
            up = tensors.get(name.replace(first, second))
            if up is None or len(down.shape) < 2 or len(up.shape) < 2:
                return False
            if down.shape[0] != up.shape[1] or not {down.dtype, up.dtype} <= FLOATS:
                return False
            paired += 2
            break
    return paired > 0 and 2 * paired >= len(tensors)


def is_embedding(tensors: Tensors) -> bool:
    """Whether there is nothing but a few vectors, named by tokens and not by modules."""
    return 0 < len(tensors) <= MAX_EMBEDDINGS and all(
        name.isprintable()
        and 0 < len(name) <= 200
        and "." not in name
        and tensor.dtype in FLOATS
        and (len(tensor.shape) == 1 or (len(tensor.shape) == 2 and _few(tensor.shape[0])))
        and tensor.shape[-1] in VECTOR_SIDES
        for name, tensor in tensors.items()
    )


def is_ip_adapter(weights: Weights) -> bool:
    """Whether one file at the top is an IP-Adapter, as diffusers loads it."""
    tops = [tensors for name, tensors in weights.items() if "/" not in name]
    return len(tops) == 1 and all(
        any(name.startswith(part) for name in tops[0]) for part in IP_ADAPTER_PARTS
    )


def read_controlnet(folder: Path, weights: Weights) -> str:
    """Return the family of checkpoints that it fits, or nothing."""
    configuration = read_json(folder / "config.json")
    if not is_controlnet(configuration):
        raise UnusableFolder("config.json does not name a ControlNet (“_class_name”).")
    refuse_pipeline(folder)
    for name in weights:
        if not re.fullmatch(r"diffusion_pytorch_model[\w.-]*\.safetensors", name):
            raise UnusableFolder(f"{name} does not belong to a ControlNet.")
    if not any(name.startswith("controlnet_") for t in weights.values() for name in t):
        raise UnusableFolder("The weights are not those of a ControlNet (“controlnet_…”).")
    name = configuration["_class_name"]
    if name == "ControlNetModel":
        return "sdxl" if configuration.get("addition_embed_type") == "text_time" else "sd"
    known = (family for start, family in CONTROLNET_FAMILIES if name.startswith(start))
    return next(known, "")


def read_lora(folder: Path, weights: Weights) -> None:
    if not is_lora(_only(folder, weights, "LoRA")):
        raise UnusableFolder("The weights are not those of a LoRA (pairs of low rank).")


def read_embedding(folder: Path, weights: Weights) -> None:
    if not is_embedding(_only(folder, weights, "embedding")):
        raise UnusableFolder("The weights are not those of an embedding (vectors of tokens).")


def read_ip_adapter(folder: Path, weights: Weights) -> str:
    """Return the family of checkpoints that it fits, or nothing."""
    refuse_pipeline(folder)
    if not is_ip_adapter(weights):
        raise UnusableFolder("The weights are not those of an IP-Adapter (“ip_adapter.…”).")
    read_json(folder / IP_ADAPTER_ENCODER / "config.json")
    if set(weights) - {name for name in weights if "/" not in name} != {
        f"{IP_ADAPTER_ENCODER}/model.safetensors"
    }:
        raise UnusableFolder("An IP-Adapter needs its encoder in image_encoder, nothing else.")
    top = next(tensors for name, tensors in weights.items() if "/" not in name)
    sides = {
        tensor.shape[-1]
        for name, tensor in top.items()
        if name.startswith("ip_adapter.") and name.endswith("to_k_ip.weight") and tensor.shape
    }
    return IP_ADAPTER_FAMILIES.get(sides.pop(), "") if len(sides) == 1 else ""


def read_clip(folder: Path, weights: Weights) -> int:
    """Return the side of the pictures that it looks at, in pixels."""
    configuration = read_json(folder / "config.json")
    if not is_clip(configuration):
        raise UnusableFolder("config.json does not describe a CLIP (“CLIPModel”).")
    refuse_pipeline(folder)
    if set(weights) != {"model.safetensors"}:
        raise UnusableFolder("A CLIP has its weights in model.safetensors and nowhere else.")
    read_json(folder / "preprocessor_config.json")
    has = {name: (folder / name).is_file() for name in ("vocab.json", "merges.txt")}
    if not all(has.values()) and not (folder / "tokenizer.json").is_file():
        raise UnusableFolder("The tokenizer is missing (tokenizer.json).")
    tensors = weights["model.safetensors"]
    towers = all(any(name.startswith(tower) for name in tensors) for tower in CLIP_TOWERS)
    sides = [tensors[name].shape[:1] for name in CLIP_PROJECTIONS if name in tensors]
    if not towers or sides != [(configuration.get("projection_dim"),)] * 2:
        raise UnusableFolder("The weights are not those of the CLIP in config.json.")
    vision = configuration.get("vision_config")
    side = vision.get("image_size") if isinstance(vision, dict) else None
    if type(side) is not int or not 16 <= side <= 4096:
        raise UnusableFolder("config.json does not say how large the pictures are.")
    return side


def _only(folder: Path, weights: Weights, kind: str) -> Tensors:
    refuse_pipeline(folder)
    if len(weights) != 1 or "/" in next(iter(weights)):
        raise UnusableFolder(f"The folder of one {kind} holds exactly one .safetensors file.")
    return next(iter(weights.values()))


def refuse_pipeline(folder: Path) -> None:
    if (folder / INDEX).exists():
        raise UnusableFolder(f"The folder holds a whole pipeline ({INDEX}): a checkpoint.")


def _few(number: int) -> bool:
    return 0 < number <= MAX_VECTORS
