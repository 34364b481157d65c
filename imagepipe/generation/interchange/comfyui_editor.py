"""From the form of ComfyUI's editor (``nodes``, ``links``, lists of widgets) to the API form.

The editor's file names no widgets: which value is which follows from the class of the node.
"""

from __future__ import annotations

from typing import Any

from imagepipe.generation.interchange.comfyui_graph import Nodes
from imagepipe.generation.interchange.foreign import UnreadableRecipe

MAX_NODES = 5_000
MAX_LINKS = 20_000
WIDGETS: dict[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": (
        "add_noise", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler",
    ),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "ControlNetLoader": ("control_net_name",),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "FluxGuidance": ("guidance",),
    "CFGGuider": ("cfg",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
}  # fmt: skip
"""Names of the widgets in order; an empty one is only for the editor."""


def to_api(document: dict[str, Any]) -> Nodes:
    """Return the nodes of an editor's file. Raises :class:`UnreadableRecipe`."""
    nodes, links = document["nodes"], document.get("links")
    if len(nodes) > MAX_NODES or (isinstance(links, list) and len(links) > MAX_LINKS):
        raise UnreadableRecipe(f"The workflow has more than {MAX_NODES} nodes, or many links.")
    sources: dict[str, list[Any]] = {}
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict):
            sources[_key(link.get("id"))] = [link.get("origin_id"), link.get("origin_slot")]
        elif isinstance(link, list) and len(link) >= 3:
            sources[_key(link[0])] = [link[1], link[2]]
    return {
        _key(node.get("id")): {
            "class_type": node.get("type"),
            "inputs": _widgets(node) | _linked(node, sources),
        }
        for node in nodes
        if isinstance(node, dict)
    }


def _widgets(node: dict[str, Any]) -> dict[str, Any]:
    given = node.get("widgets_values")
    if isinstance(given, dict):
        return {str(name): value for name, value in given.items()}
    kind = node.get("type")
    names = WIDGETS.get(kind, ()) if isinstance(kind, str) else ()
    if not isinstance(given, list):
        return {}
    return {name: value for name, value in zip(names, given, strict=False) if name}


def _linked(node: dict[str, Any], sources: dict[str, list[Any]]) -> dict[str, Any]:
    inputs = node.get("inputs")
    return {
        str(entry.get("name"))[:200]: sources[_key(entry.get("link"))]
        for entry in (inputs if isinstance(inputs, list) else ())
        if isinstance(entry, dict) and _key(entry.get("link")) in sources
    }


def _key(value: Any) -> str:
    """Numbers of nodes and links, whatever was put there instead."""
    return str(value)[:40] if isinstance(value, (int, str)) else ""
