"""ComfyUI: recipes from the graph of a picture, and ours as a graph that it opens.

Read is the API form (``prompt``: nodes by their number with ``class_type`` and ``inputs``) or
the form of its editor (``workflow``: ``nodes`` and ``links``). Nothing of a graph is executed;
a recipe is what lies before the sampler that leads to a saved picture.
https://docs.comfy.org/specs/workflow_json
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagepipe.generation.interchange import values
from imagepipe.generation.interchange.comfyui_editor import to_api
from imagepipe.generation.interchange.comfyui_graph import Nodes, class_of, nearest, upstream
from imagepipe.generation.interchange.foreign import (
    MAX_ADDITIONS,
    Addition,
    ForeignRecipe,
    UnreadableRecipe,
)
from imagepipe.generation.interchange.samplers import COMFYUI, sampler_of, scheduler_of
from imagepipe.generation.recipe import Recipe

MAX_NODES = 5_000
TEXTS = ("text", "text_g", "prompt", "clip_l", "t5xxl", "value", "string", "positive")
MODELS = ("ckpt_name", "unet_name", "model_name")
ADDITIONS = {
    "LoraLoader": ("lora", "lora_name", "strength_model"),
    "LoraLoaderModelOnly": ("lora", "lora_name", "strength_model"),
    "ControlNetLoader": ("control", "control_net_name", ""),
    "IPAdapterModelLoader": ("reference", "ipadapter_file", ""),
}


def matches(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if isinstance(document.get("nodes"), list):
        return True
    return bool(document) and all(
        isinstance(node, dict) and "class_type" in node for node in document.values()
    )


def parse(document: dict[str, Any]) -> ForeignRecipe:
    """Return the recipe of a graph in either form. Raises :class:`UnreadableRecipe`."""
    nodes: Nodes = (
        to_api(document) if isinstance(document.get("nodes"), list) else _checked(document)
    )
    if len(nodes) > MAX_NODES:
        raise UnreadableRecipe(f"The workflow has more than {MAX_NODES} nodes.")
    sampler = _find_sampler(nodes)
    if sampler is None:
        raise UnreadableRecipe("The workflow has no sampler, so it makes no picture.")
    spacing = values.name(nearest(nodes, sampler, ("scheduler",)))
    method = values.name(nearest(nodes, sampler, ("sampler_name",)))
    guidance = nearest(nodes, sampler, ("cfg",))
    if guidance is None:  # models that were distilled with their guidance
        guidance = nearest(nodes, sampler, ("guidance",))
    size = _ways(nodes, sampler, ("latent_image", "latent"))
    read = {id for id, _node in upstream(nodes, sampler)}
    others = sorted({class_of(node) for id, node in nodes.items() if id not in read})
    return ForeignRecipe(
        tool="ComfyUI",
        prompt=_text(nodes, sampler, ("positive", "guider", "conditioning")),
        negative_prompt=_text(nodes, sampler, ("negative",)),
        seed=values.seed(nearest(nodes, sampler, ("seed", "noise_seed"))),
        width=values.side(nearest(nodes, size, ("width",))),
        height=values.side(nearest(nodes, size, ("height",))),
        steps=values.steps(nearest(nodes, sampler, ("steps",))),
        guidance=values.guidance(guidance),
        strength=values.share(nearest(nodes, sampler, ("denoise",))),
        sampler=" ".join(filter(None, (method, spacing))),
        scheduler=scheduler_of(method, COMFYUI),
        model_name=values.name(nearest(nodes, sampler, MODELS)),
        additions=tuple(_additions(nodes, sampler))[:MAX_ADDITIONS],
        left_over=values.left_over(("node", title) for title in others),
    )


def write(recipe: Recipe) -> dict[str, Any]:
    """Return our recipe as a graph in the API form. Sizes are those of the raw picture."""
    model = ["1", 0]
    graph: dict[str, Any] = {
        "1": _node("CheckpointLoaderSimple", ckpt_name=f"{recipe.model.slug}.safetensors"),
    }
    clip: list[Any] = ["1", 1]
    loras = [adapter for adapter in recipe.adapters if adapter.kind == "lora"]
    for number, lora in enumerate(loras, start=10):
        graph[str(number)] = _node(
            "LoraLoader",
            lora_name=f"{lora.slug}.safetensors",
            strength_model=lora.weight,
            strength_clip=lora.weight,
            model=model,
            clip=clip,
        )
        model, clip = [str(number), 0], [str(number), 1]
    scheduler = recipe.environment.scheduler
    return graph | {
        "2": _node("CLIPTextEncode", text=recipe.prompt, clip=clip),
        "3": _node("CLIPTextEncode", text=recipe.negative_prompt, clip=clip),
        "4": _node("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=1),
        "5": _node(
            "KSampler",
            seed=recipe.seed,
            steps=recipe.steps,
            cfg=recipe.guidance,
            sampler_name=sampler_of(scheduler, COMFYUI) or "euler",
            scheduler="normal",
            denoise=recipe.strength,
            model=model,
            positive=["2", 0],
            negative=["3", 0],
            latent_image=["4", 0],
        ),
        "6": _node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "7": _node("SaveImage", filename_prefix="imagepipe", images=["6", 0]),
    }


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def _checked(document: dict[str, Any]) -> Nodes:
    return {
        id: node | {"inputs": node["inputs"] if isinstance(node.get("inputs"), dict) else {}}
        for id, node in document.items()
        if isinstance(node, dict)
    }


def _find_sampler(nodes: Nodes) -> str | None:
    """The sampler nearest to a node that saves or shows; else any."""
    ends = [id for id, node in nodes.items() if class_of(node).startswith(("Save", "Preview"))]
    for end in ends:
        for id, node in upstream(nodes, end):
            if _samples(node):
                return id
    return next((id for id, node in nodes.items() if _samples(node)), None)


def _samples(node: dict[str, Any]) -> bool:
    inputs = node["inputs"]
    return "Sampler" in class_of(node) and ("latent_image" in inputs or "positive" in inputs)


def _ways(nodes: Nodes, start: str, inputs: tuple[str, ...]) -> str | None:
    """The node that one of these inputs comes from."""
    given = nodes[start]["inputs"]
    for title in inputs:
        link = given.get(title)
        if isinstance(link, list) and link and str(link[0]) in nodes:
            return str(link[0])
    return None


def _text(nodes: Nodes, sampler: str, inputs: tuple[str, ...]) -> str:
    start = _ways(nodes, sampler, inputs)
    if start is None:
        return ""
    if (further := _ways(nodes, start, inputs)) is not None:  # a guider, or a conditioning
        start = further
    return values.words(nearest(nodes, start, TEXTS, kind=str))


def _additions(nodes: Nodes, sampler: str) -> Iterator[Addition]:
    for _id, node in upstream(nodes, sampler):
        if class_of(node) in ADDITIONS:
            kind, title, strength = ADDITIONS[class_of(node)]
            inputs = node["inputs"]
            yield Addition(
                kind, values.name(inputs.get(title)), values.weight(inputs.get(strength))
            )
