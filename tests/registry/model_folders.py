"""Small model folders of every kind, written by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

WIDTHS = {"F16": 2, "F32": 4, "I64": 8}


def safetensors(tensors: dict[str, tuple[int, ...]], dtype: str = "F16") -> bytes:
    """A whole safetensors file of zeros."""
    header: dict[str, Any] = {}
    end = 0
    for name, shape in tensors.items():
        start, end = end, end + math.prod(shape) * WIDTHS[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    return with_header(header, end)


def with_header(header: object, data_bytes: int) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(data_bytes)


def write(folder: Path, name: str, content: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def checkpoint(folder: Path) -> None:
    write(folder, "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    write(folder, "unet/config.json", {"sample_size": 32})
    write(folder, "vae/config.json", {"block_out_channels": [32, 64, 64]})
    weights = safetensors({"conv_in.weight": (4, 4)})
    write(folder, "unet/diffusion_pytorch_model.safetensors", weights)


def controlnet(folder: Path) -> None:
    write(folder, "config.json", {"_class_name": "ControlNetModel"})
    weights = safetensors({"conv_in.weight": (4, 4), "controlnet_mid_block.weight": (4, 4)})
    write(folder, "diffusion_pytorch_model.safetensors", weights)


def lora(folder: Path) -> None:
    pair = {"unet.to_q.lora_A.weight": (2, 8), "unet.to_q.lora_B.weight": (8, 2)}
    write(folder, "pytorch_lora_weights.safetensors", safetensors(pair))


def embedding(folder: Path) -> None:
    write(folder, "learned_embeds.safetensors", safetensors({"<mint>": (1, 128)}))


CLIP_CONFIG = {
    "architectures": ["CLIPModel"],
    "model_type": "clip",
    "projection_dim": 16,
    "vision_config": {"image_size": 224},
}
CLIP_TENSORS: dict[str, tuple[int, ...]] = {
    "text_model.embeddings.token_embedding.weight": (4, 8),
    "vision_model.embeddings.class_embedding": (8,),
    "text_projection.weight": (16, 8),
    "visual_projection.weight": (16, 8),
}


def clip(folder: Path) -> None:
    write(folder, "config.json", CLIP_CONFIG)
    write(folder, "preprocessor_config.json", {})
    write(folder, "tokenizer.json", {})
    write(folder, "model.safetensors", safetensors(CLIP_TENSORS))


MAKERS = {
    "checkpoint": checkpoint,
    "controlnet": controlnet,
    "lora": lora,
    "embedding": embedding,
    "clip": clip,
}
