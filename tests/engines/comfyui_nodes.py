"""The nodes that the ComfyUI test server can execute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from tests.engines.painting import decode, paint, repaint


class Interrupted(Exception):
    """The job shall stop."""


def evaluate(graph: dict[str, Any], link: list[Any], host: Any) -> Any:
    """Return what an output of a node is."""
    node, output = link
    facts = graph[node]
    values = {
        name: evaluate(graph, value, host) if isinstance(value, list) else value
        for name, value in facts["inputs"].items()
    }
    return NODES[facts["class_type"]](node, host, **values)[output]


def checkpoint(node: str, host: Any, ckpt_name: str) -> Any:
    return (("model", ckpt_name), ("clip", ckpt_name), "vae")


def lora(
    node: str, host: Any, model: Any, clip: Any, lora_name: str, strength_model: float,
    strength_clip: float,
) -> Any:  # fmt: skip
    return ((model, lora_name, strength_model), (clip, lora_name, strength_clip))


def encode_text(node: str, host: Any, text: str, clip: Any) -> Any:
    return ((text, clip),)


def empty(node: str, host: Any, width: int, height: int, batch_size: int) -> Any:
    return ({"size": (width, height)},)


def load_image(node: str, host: Any, image: str) -> Any:
    picture = decode(host.files[image])
    alpha = picture.convert("RGBA").getchannel("A")
    return picture.convert("RGB"), alpha.point([255 - value for value in range(256)])


def load_mask(node: str, host: Any, image: str, channel: str) -> Any:
    """Colours as they are; alpha the other way round."""
    picture = decode(host.files[image]).convert("RGBA")
    band = picture.getchannel(channel[0].upper())
    return (band.point([255 - v for v in range(256)]) if channel == "alpha" else band,)


def vae_encode(node: str, host: Any, pixels: Image.Image, vae: Any) -> Any:
    return ({"size": pixels.size, "source": pixels},)


def noise_mask(node: str, host: Any, samples: dict[str, Any], mask: Image.Image) -> Any:
    return (samples | {"mask": mask},)


def control_model(node: str, host: Any, control_net_name: str) -> Any:
    return (control_net_name,)


def apply_control(
    node: str, host: Any, positive: Any, negative: Any, control_net: str, image: Image.Image,
    strength: float, start_percent: float, end_percent: float,
) -> Any:  # fmt: skip
    control = (control_net, hash(image.tobytes()), strength, start_percent, end_percent)
    return ((positive, control), (negative, control))


def sample(
    node: str, host: Any, seed: int, steps: int, cfg: float, sampler_name: str, scheduler: str,
    denoise: float, model: Any, positive: Any, negative: Any, latent_image: dict[str, Any],
) -> Any:  # fmt: skip
    if "explode" in repr(positive):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    facts = (seed, cfg, sampler_name, scheduler, model, positive, negative)
    picture = paint(latent_image["size"], facts)
    if "source" in latent_image:
        picture = repaint(latent_image["source"], latent_image.get("mask"), denoise, facts)
    for step in range(1, steps + 1):
        host.step(node, step, steps, picture)
    return (picture,)


def vae_decode(node: str, host: Any, samples: Image.Image, vae: Any) -> Any:
    return (samples,)


NODES: dict[str, Callable[..., Any]] = {
    "CheckpointLoaderSimple": checkpoint,
    "LoraLoader": lora,
    "CLIPTextEncode": encode_text,
    "EmptyLatentImage": empty,
    "LoadImage": load_image,
    "LoadImageMask": load_mask,
    "VAEEncode": vae_encode,
    "SetLatentNoiseMask": noise_mask,
    "ControlNetLoader": control_model,
    "ControlNetApplyAdvanced": apply_control,
    "KSampler": sample,
    "VAEDecode": vae_decode,
    "PreviewImage": lambda *_: (),
    "SaveImage": lambda *_: (),
}
