"""A ComfyUI workflow as a template: which of its inputs take the values of a request.

A workflow is what ComfyUI exports as “API” format: nodes by id, each with ``class_type`` and
``inputs``; an input is a value or a link ``[node, output]``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_NODES = 500
MAX_TEXT = 2_000_000
FIELDS = (
    "prompt", "negative", "seed", "steps", "guidance", "scheduler", "strength", "width",
    "height", "model", "init_image", "mask",
)  # fmt: skip
LONGEST_PATH = 12

Graph = dict[str, dict[str, Any]]
Place = tuple[str, str]
"""A node and the name of its input."""


@dataclass(frozen=True)
class Template:
    """``inputs`` says where each field goes, ``sampler`` and ``loader`` are found by links.

    ``output`` is the node whose picture is the result.
    """

    graph: Graph
    inputs: Mapping[str, Place]
    output: str
    sampler: str = ""
    loader: str = ""

    def fill(self, values: Mapping[str, Any]) -> Graph:
        """Return a copy of the workflow with the values that it has a place for."""
        graph = copy.deepcopy(self.graph)
        for field, value in values.items():
            if field in self.inputs:
                node, name = self.inputs[field]
                graph[node]["inputs"][name] = value
        return graph


def read_template(data: Any) -> Template:
    """Return the template of ``{"workflow": …, "inputs": {"prompt": "6.text"}, "output": …}``.

    A workflow alone will do where its nodes are the usual ones: what ``inputs`` does not name
    is found by following the links from the sampler. Raises ``ValueError``.
    """
    if isinstance(data, str):
        data = _parse(data)
    if not isinstance(data, dict):
        raise ValueError("a workflow must be an object")
    named: Any = {}
    output: Any = ""
    if "workflow" in data:
        if unknown := sorted(set(data) - {"workflow", "inputs", "output"}):
            raise ValueError(f"unknown keys: {', '.join(map(str, unknown))[:80]}")
        named, output = data.get("inputs") or {}, data.get("output") or ""
        data = data["workflow"]
        if isinstance(data, str):
            data = _parse(data)
    graph = _graph(data)
    inputs = _found(graph) | dict(_named(graph, named))
    sampler = inputs["seed"][0] if "seed" in inputs else ""
    if not {"positive", "negative"} <= set(graph.get(sampler, {}).get("inputs", {})):
        sampler = ""
    if "prompt" not in inputs:
        raise ValueError("no place for the prompt was found; name it, as “prompt”: “6.text”")
    loader = inputs["model"][0] if "model" in inputs else ""
    return Template(graph, inputs, _output(graph, output), sampler, loader)


def add_lora(graph: Graph, loader: str, name: str, weight: float) -> None:
    """Put a LoRA between the model's loader and all that uses model and text encoder."""
    node = _free(graph, "lora")
    last = graph[loader].get("_last", [[loader, 0], [loader, 1]])
    for other in graph.values():
        for key, value in other["inputs"].items():
            for output in (0, 1):
                if value == last[output]:
                    other["inputs"][key] = [node, output]
    graph[node] = {
        "class_type": "LoraLoader",
        "inputs": {
            "model": last[0],
            "clip": last[1],
            "lora_name": name,
            "strength_model": weight,
            "strength_clip": weight,
        },
    }
    graph[loader]["_last"] = [[node, 0], [node, 1]]


def add_control(
    graph: Graph,
    sampler: str,
    *,
    model: str,
    image: str,
    weight: float,
    start: float,
    end: float,
) -> None:
    """Put a ControlNet before the sampler."""
    inputs = graph[sampler]["inputs"]
    loader, picture = _free(graph, "control-model"), _free(graph, "control-picture")
    graph[loader] = {
        "class_type": "ControlNetLoader",
        "inputs": {"control_net_name": model},
    }
    graph[picture] = {"class_type": "LoadImage", "inputs": {"image": image}}
    node = _free(graph, "control")
    graph[node] = {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {
            "positive": inputs["positive"],
            "negative": inputs["negative"],
            "control_net": [loader, 0],
            "image": [picture, 0],
            "strength": weight,
            "start_percent": start,
            "end_percent": end,
        },
    }
    inputs["positive"], inputs["negative"] = [node, 0], [node, 1]


def clean(graph: Graph) -> Graph:
    """Return the graph as the server takes it."""
    return {
        node: {key: value for key, value in facts.items() if key != "_last"}
        for node, facts in graph.items()
    }


def _parse(text: str) -> Any:
    if len(text) > MAX_TEXT:
        raise ValueError("the workflow is too large")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the workflow is not JSON") from None


def _graph(data: Any) -> Graph:
    if isinstance(data, dict) and "nodes" in data and "links" in data:
        raise ValueError("this is the form for the editor: export the workflow as “API”")
    if not isinstance(data, dict) or not 0 < len(data) <= MAX_NODES:
        raise ValueError(f"a workflow has between 1 and {MAX_NODES} nodes")
    for node, facts in data.items():
        if (
            not isinstance(facts, dict)
            or not isinstance(facts.get("class_type"), str)
            or not isinstance(facts.get("inputs"), dict)
        ):
            raise ValueError(f"the node “{str(node)[:40]}” lacks class_type or inputs")
    return copy.deepcopy(data)


def _named(graph: Graph, named: Any) -> Iterator[tuple[str, Place]]:
    if not isinstance(named, dict):
        raise ValueError("inputs must be an object such as {“prompt”: “6.text”}")
    for field, place in named.items():
        if field not in FIELDS:
            raise ValueError(f"“{str(field)[:40]}” is no field; there are: {', '.join(FIELDS)}")
        node, dot, name = place.rpartition(".") if isinstance(place, str) else ("", "", "")
        if not dot or node not in graph or name not in graph[node]["inputs"]:
            raise ValueError(f"“{str(place)[:80]}” is no input of this workflow")
        yield field, (node, name)


def _output(graph: Graph, named: Any) -> str:
    if named:
        if named not in graph:
            raise ValueError(f"the output “{str(named)[:40]}” is no node of this workflow")
        return str(named)
    found = [n for n, f in graph.items() if f["class_type"] in ("SaveImage", "PreviewImage")]
    if len(found) != 1:
        raise ValueError("name the output: there must be one node that gives the result")
    return found[0]


def _found(graph: Graph) -> dict[str, Place]:
    """What can be told from the links of the only sampler."""
    samplers = [
        node
        for node, facts in graph.items()
        if {"positive", "negative", "latent_image"} <= set(facts["inputs"])
    ]
    if len(samplers) != 1:
        return {}
    sampler = samplers[0]
    own = {
        "seed": ("seed", "noise_seed"),
        "steps": ("steps",),
        "guidance": ("cfg",),
        "scheduler": ("sampler_name",),
        "strength": ("denoise",),
    }
    found = {
        field: (sampler, name)
        for field, names in own.items()
        for name in names
        if name in graph[sampler]["inputs"]
    }
    for field, link, name in (
        ("prompt", "positive", "text"),
        ("negative", "negative", "text"),
        ("width", "latent_image", "width"),
        ("height", "latent_image", "height"),
        ("model", "model", "ckpt_name"),
    ):
        if node := _upstream(graph, sampler, link, name):
            found[field] = (node, name)
    if found.get("prompt") == found.get("negative"):
        found.pop("negative", None)
    for field, kind in (("init_image", "LoadImage"), ("mask", "LoadImageMask")):
        nodes = [n for n, facts in graph.items() if facts["class_type"] == kind]
        if len(nodes) == 1 and "image" in graph[nodes[0]]["inputs"]:
            found[field] = (nodes[0], "image")
    return found


def _upstream(graph: Graph, node: str, link: str, name: str) -> str:
    """The node before ``link`` that has a plain value ``name``, by the same link or any."""
    for _hop in range(LONGEST_PATH):
        value = graph[node]["inputs"].get(link)
        if not _is_link(value) or value[0] not in graph:
            return ""
        node = value[0]
        inputs = graph[node]["inputs"]
        if name in inputs and not _is_link(inputs[name]):
            return node
        links = [key for key, item in inputs.items() if _is_link(item)]
        if link not in links:
            preferred = [key for key in ("conditioning", "samples", "model") if key in links]
            if not preferred:
                return ""
            link = preferred[0]
    return ""


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def _free(graph: Graph, name: str) -> str:
    number = 0
    while f"imagepipe-{name}-{number}" in graph:
        number += 1
    return f"imagepipe-{name}-{number}"
