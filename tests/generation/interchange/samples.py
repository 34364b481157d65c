"""Files as the tools write them, made with Pillow, and what is in all of them."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

INFOTEXT = (
    "a red teapot, studio light <lora:clay:0.8>\non a table\n"
    "Negative prompt: blurry, text\n"
    "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 1234567890, Size: 512x768, "
    "Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.6, "
    'Clip skip: 2, Lora hashes: "clay: 1a2b3c, other: 4d5e6f", Version: v1.10.1'
)
COMFY_PROMPT: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 1234567890, "steps": 20, "cfg": 7.5, "sampler_name": "euler_ancestral",
            "scheduler": "karras", "denoise": 1, "model": ["10", 0], "positive": ["6", 0],
            "negative": ["7", 0], "latent_image": ["5", 0],
        },
        "is_changed": [float("nan")],
    },
    "4": {
        "class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "SD15/v1-5-pruned-emaonly.safetensors"},
    },
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 768, "batch_size": 1},
    },
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "a red teapot, studio light", "clip": ["10", 1]},
    },
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["10", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["8", 0]}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "clay.safetensors", "strength_model": 0.8, "strength_clip": 1,
            "model": ["4", 0], "clip": ["4", 1],
        },
    },
    "11": {"class_type": "Note", "inputs": {}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "blurry, text"}},
}  # fmt: skip
COMFY_WORKFLOW: dict[str, Any] = {
    "last_node_id": 9,
    "nodes": [
        {
            "id": 3, "type": "KSampler",
            "inputs": [
                {"name": "model", "type": "MODEL", "link": 1},
                {"name": "positive", "type": "CONDITIONING", "link": 4},
                {"name": "negative", "type": "CONDITIONING", "link": 6},
                {"name": "latent_image", "type": "LATENT", "link": 2},
            ],
            "widgets_values": [1234567890, "randomize", 20, 7.5, "ddim", "normal", 1],
        },
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["v1-5.safetensors"]},
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
        {"id": 6, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 3}],
         "widgets_values": ["a red teapot"]},
        {"id": 7, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 5}],
         "widgets_values": ["blurry"]},
    ],
    "links": [
        [1, 4, 0, 3, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"], [3, 4, 1, 6, 0, "CLIP"],
        [4, 6, 0, 3, 1, "CONDITIONING"], [5, 4, 1, 7, 0, "CLIP"],
        [6, 7, 0, 3, 2, "CONDITIONING"],
    ],
}  # fmt: skip
COMFY_FLUX: dict[str, Any] = {
    "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["9", 0]}},
    "3": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["2", 0]}},
    "4": {"class_type": "BasicGuider", "inputs": {"model": ["1", 0], "conditioning": ["3", 0]}},
    "5": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
    "6": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "7": {
        "class_type": "BasicScheduler",
        "inputs": {"scheduler": "simple", "steps": 28, "denoise": 1, "model": ["1", 0]},
    },
    "8": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["5", 0], "guider": ["4", 0], "sampler": ["6", 0], "sigmas": ["7", 0],
            "latent_image": ["10", 0],
        },
    },
    "9": {"class_type": "DualCLIPLoader", "inputs": {"clip_name1": "t5xxl"}},
    "10": {
        "class_type": "EmptySD3LatentImage", "inputs": {"width": 1024, "height": 768},
    },
    "11": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
}  # fmt: skip
INVOKEAI: dict[str, Any] = {
    "app_version": "5.6.0",
    "generation_mode": "txt2img",
    "positive_prompt": "a red teapot, studio light",
    "negative_prompt": "blurry, text",
    "width": 512,
    "height": 768,
    "seed": 1234567890,
    "rand_device": "cpu",
    "cfg_scale": 7.5,
    "cfg_rescale_multiplier": 0,
    "steps": 20,
    "scheduler": "dpmpp_2m_k",
    "model": {
        "key": "f2a1", "hash": "blake3:9d5a7c", "name": "stable-diffusion-v1-5",
        "base": "sd-1", "type": "main",
    },
    "loras": [{"model": {"name": "clay", "type": "lora"}, "weight": 0.8}],
    "ipAdapters": [{"ip_adapter_model": {"name": "style"}, "weight": 0.5}],
}  # fmt: skip
SWARMUI: dict[str, Any] = {
    "sui_image_params": {
        "prompt": "a red teapot, studio light",
        "negativeprompt": "blurry, text",
        "model": "SD15/v1-5-pruned-emaonly",
        "images": 1,
        "seed": 1234567890,
        "steps": 20,
        "cfgscale": 7.5,
        "width": 512,
        "height": 768,
        "sampler": "euler",
        "scheduler": "karras",
        "loras": ["clay"],
        "loraweights": ["0.8"],
        "swarm_version": "0.9.4.0",
    },
    "sui_extra_data": {"date": "2025-01-31", "generation_time": "3.2 sec"},
    "sui_models": [
        {"name": "v1-5-pruned-emaonly.safetensors", "param": "model", "hash": "0xAB12CD34"}
    ],
}


def png(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    return _save("PNG", pnginfo=info)


def png_compressed(name: str, text: str, *, international: bool) -> bytes:
    info = PngInfo()
    if international:
        info.add_itxt(name, text, zip=True)
    else:
        info.add_text(name, text, zip=True)
    return _save("PNG", pnginfo=info)


def with_comment(kind: str, text: str, *, order: str = "utf-16-be") -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode(order)
    return _save(kind, exif=exif.tobytes())


def webp_of_comfyui() -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(COMFY_PROMPT)
    exif[0x010F] = "workflow:" + json.dumps(COMFY_WORKFLOW)
    return _save("WEBP", exif=exif.tobytes())


def all_files() -> dict[str, bytes]:
    """One file of every shape in which a recipe comes."""
    return {
        "a1111.png": png(parameters=INFOTEXT),
        "a1111-ztxt.png": png_compressed("parameters", INFOTEXT, international=False),
        "a1111-itxt.png": png_compressed("parameters", INFOTEXT, international=True),
        "a1111.jpg": with_comment("JPEG", INFOTEXT),
        "a1111.webp": with_comment("WEBP", INFOTEXT, order="utf-16-le"),
        "a1111.txt": INFOTEXT.encode(),
        "comfyui.png": png(
            prompt=json.dumps(COMFY_PROMPT), workflow=json.dumps(COMFY_WORKFLOW)
        ),
        "comfyui.webp": webp_of_comfyui(),
        "comfyui-api.json": json.dumps(COMFY_PROMPT).encode(),
        "comfyui-workflow.json": json.dumps(COMFY_WORKFLOW).encode(),
        "comfyui-flux.json": json.dumps(COMFY_FLUX).encode(),
        "invokeai.png": png(invokeai_metadata=json.dumps(INVOKEAI)),
        "swarmui.png": png(parameters=json.dumps(SWARMUI)),
        "swarmui.jpg": with_comment("JPEG", json.dumps(SWARMUI)),
    }


def _save(kind: str, **options: Any) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 40, 40)).save(output, kind, **options)
    return output.getvalue()
