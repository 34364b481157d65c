"""Pictures from a ComfyUI server, with the operator's own workflows as templates.

A workflow goes to ``/prompt`` and waits in the server's queue; a WebSocket tells of its
progress and shows previews, and the history says how it ended. A lost connection is made
anew; what happened meanwhile is read from the history.
See https://docs.comfy.org/development/comfyui-server/comms_routes.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from imagepipe.generation.backends.address import parse_address
from imagepipe.generation.backends.answers import read_answer
from imagepipe.generation.backends.comfyui_graph import (
    Graph,
    Template,
    add_control,
    add_lora,
    clean,
    read_template,
)
from imagepipe.generation.backends.comfyui_job import Job
from imagepipe.generation.backends.inputs import Inputs, read_inputs
from imagepipe.generation.backends.progress import Progress
from imagepipe.generation.backends.remembered import Remembered
from imagepipe.generation.backends.remote import Remote
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.edits import EDITS
from imagepipe.generation.environment import library_versions, platform_name
from imagepipe.generation.exceptions import InvalidAnswer, UnsupportedRequest
from imagepipe.generation.pictures import to_png
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import Mode, ModelReference, OnStep, Request, Result

WORKFLOWS = Path(__file__).with_name("comfyui_workflows")
SHORT_SECONDS = 10.0
FRESH_SECONDS = 300.0
MULTIPLE = 8
SCHEDULERS = 200
EMBEDDING = re.compile(r"\bembedding:\S", re.IGNORECASE)
"""With this the server loads files that nobody allowed."""


class ComfyUIBackend:
    """The modes for which there is a workflow, with LoRA and ControlNet where they fit in.

    ``workflows``: a template per mode, see :mod:`.comfyui_graph`; without, workflows for usual
    checkpoints that ship. ``key`` for a proxy in front of the server, which has no accounts
    itself. ``timeout``: the longest that one picture may take, waiting included.
    """

    name = "comfyui"
    version = "1"

    def __init__(
        self,
        address: str = "http://127.0.0.1:8188",
        key: str = "",
        timeout: float = 900.0,
        workflows: Mapping[str, Any] | None = None,
        max_pixels: int = 2048 * 2048,
        reproducible: bool = True,
        look_seconds: float = 1.0,
    ) -> None:
        self._remote = Remote(parse_address(address), key, timeout)
        self._templates = _templates(workflows)
        self._max_pixels = max_pixels
        self._reproducible = reproducible
        self._look = look_seconds
        self._samplers = Remembered(self._ask_samplers, FRESH_SECONDS)
        self._system = Remembered(self._ask_system, FRESH_SECONDS)

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        templates = tuple(self._templates.values())

        def all_have(*fields: str) -> bool:
            return all(field in t.inputs for t in templates for field in fields)

        modes = {Mode(mode) for mode in self._templates}
        if Mode.INPAINT in modes:
            modes.add(Mode.OUTPAINT)
        text = self._templates.get(Mode.TEXT_TO_IMAGE)
        sized = text is None or {"width", "height"} <= set(text.inputs)
        return Capabilities(
            modes=frozenset(modes),
            reproducible=self._reproducible and all_have("seed"),
            schedulers=self._samplers.get() if all_have("scheduler") else (),
            max_pixels=self._max_pixels,
            size_multiple=MULTIPLE,
            native_sizes=((512, 512), (768, 512), (512, 768), (1024, 1024))
            if sized
            else (_own_size(text),),
            only_native_sizes=not sized,
            supports_negative=all_have("negative"),
            supports_preview=True,
            supports_controls=all(template.sampler for template in templates),
            supports_adapters=all(template.loader for template in templates),
            adapter_kinds=("lora",),
            supports_guidance=all_have("guidance"),
            supports_seed=all_have("seed"),
            supports_steps=all_have("steps"),
            supports_strength=all(
                "strength" in t.inputs for t in templates if "init_image" in t.inputs
            ),
            identifies_weights=False,
        )

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        for text in (request.prompt, request.negative_prompt):
            if EMBEDDING.search(text):
                raise UnsupportedRequest(
                    "“embedding:” in the prompt would load a file of the engine. "
                    "Choose adapters in their own field."
                )
        inputs = read_inputs(request, MULTIPLE)
        mode = Mode.INPAINT if request.mode in EDITS else request.mode
        template = self._templates[mode]
        started = time.monotonic()
        progress = Progress(on_step, request.steps)
        graph = self._graph(template, request, model, inputs)
        job = Job(self._remote, template, progress, self._look)
        data = job.run(clean(graph))
        picture = to_png(inputs.finish(read_answer(data, inputs.size)))
        progress.finish()
        return Result(
            png=picture,
            width=request.width,
            height=request.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=self._environment(template, graph),
            warnings=_warnings(template, request),
        )

    def _graph(
        self, template: Template, request: Request, model: ModelReference, inputs: Inputs
    ) -> Graph:
        values: dict[str, Any] = {
            "prompt": request.prompt,
            "negative": request.negative_prompt,
            "seed": request.seed,
            "steps": request.steps,
            "guidance": request.guidance,
            "width": inputs.size[0],
            "height": inputs.size[1],
        }
        if request.scheduler is not None:
            values["scheduler"] = request.scheduler
        if model.location:
            values["model"] = model.location
        if inputs.source is not None:
            values |= {
                "init_image": self._upload(inputs.source),
                "strength": request.strength,
            }
        if inputs.region is not None:
            values["mask"] = self._upload(inputs.region.convert("RGB"))
        graph = template.fill(values)
        for adapter in request.adapters:
            add_lora(graph, template.loader, adapter.location, adapter.weight)
        for control, picture in zip(request.controls, inputs.controls, strict=True):
            add_control(
                graph,
                template.sampler,
                model=control.model.location,
                image=self._upload(picture),
                weight=control.weight,
                start=control.start,
                end=control.end,
            )
        return graph

    def _upload(self, picture: Image.Image) -> str:
        """Named after its content, so that jobs never overwrite each other's pictures."""
        data = to_png(picture)
        name = f"imagepipe-{hashlib.sha256(data).hexdigest()[:40]}.png"
        answer = self._remote.parse(
            self._remote.call(
                "POST",
                "/upload/image",
                files={"image": (name, data, "image/png")},
                data={"type": "input", "overwrite": "true"},
            )
        )
        stored = answer.get("name") if isinstance(answer, dict) else None
        folder = answer.get("subfolder") if isinstance(answer, dict) else None
        if not isinstance(stored, str) or not stored or len(stored) > 200:
            raise InvalidAnswer("The engine did not say where it put a picture.")
        return f"{folder}/{stored}" if isinstance(folder, str) and folder else stored

    def _ask_samplers(self) -> tuple[str, ...]:
        found = self._remote.get_json("/object_info/KSampler", timeout=SHORT_SECONDS)
        try:
            names = found["KSampler"]["input"]["required"]["sampler_name"][0]
        except (KeyError, IndexError, TypeError):
            return ()
        names = names if isinstance(names, list) else []
        return tuple(name for name in names[:SCHEDULERS] if isinstance(name, str) and name)

    def _ask_system(self) -> dict[str, Any]:
        found = self._remote.get_json("/system_stats", timeout=SHORT_SECONDS)
        return found if isinstance(found, dict) else {}

    def _environment(self, template: Template, graph: Graph) -> Environment:
        stats = self._system.get()
        system, devices = stats.get("system"), stats.get("devices")
        libraries = dict(library_versions("httpx2", "websockets", "Pillow"))
        for name in ("comfyui_version", "pytorch_version", "python_version"):
            value = system.get(name) if isinstance(system, dict) else None
            if isinstance(value, str):
                libraries[f"engine {name}"] = value[:120]
        shipped = json.dumps(template.graph, sort_keys=True).encode()
        libraries["workflow"] = hashlib.sha256(shipped).hexdigest()
        device = devices[0] if isinstance(devices, list) and devices else {}
        device = device if isinstance(device, dict) else {}
        scheduler = ""
        if "scheduler" in template.inputs:
            node, name = template.inputs["scheduler"]
            scheduler = str(graph[node]["inputs"][name])[:80]
        return Environment(
            backend=self.name,
            backend_version=self.version,
            scheduler=scheduler,
            precision="unknown",
            device=str(device.get("type") or "remote")[:40],
            hardware=str(device.get("name") or "")[:200],
            platform=platform_name(),
            libraries=tuple(sorted(libraries.items())),
        )


def _templates(workflows: Mapping[str, Any] | None) -> dict[Mode, Template]:
    """Raises ``ValueError`` naming the mode whose workflow cannot be used."""
    if not workflows:
        workflows = {
            mode: (WORKFLOWS / f"{mode}.json").read_text("utf-8")
            for mode in (Mode.TEXT_TO_IMAGE, Mode.IMAGE_TO_IMAGE, Mode.INPAINT)
        }
    found = {}
    for mode, data in workflows.items():
        if mode not in (Mode.TEXT_TO_IMAGE, Mode.IMAGE_TO_IMAGE, Mode.INPAINT):
            raise ValueError(f"there are no workflows for “{mode}”")
        try:
            found[Mode(mode)] = template = read_template(data)
        except ValueError as error:
            raise ValueError(f"the workflow for {mode} cannot be used: {error}") from None
        needed = {"init_image"} if mode != Mode.TEXT_TO_IMAGE else set()
        needed |= {"mask"} if mode == Mode.INPAINT else set()
        if missing := sorted(needed - set(template.inputs)):
            raise ValueError(f"the workflow for {mode} has no place for {', '.join(missing)}")
    return found


def _own_size(template: Template | None) -> tuple[int, int]:
    """The size that a workflow without places for it makes, as far as that can be told."""
    for facts in template.graph.values() if template else ():
        width, height = facts["inputs"].get("width"), facts["inputs"].get("height")
        if isinstance(width, int) and isinstance(height, int):
            return width, height
    return 1024, 1024


def _warnings(template: Template, request: Request) -> tuple[str, ...]:
    if "seed" not in template.inputs:
        return ("This workflow takes no seed: the picture cannot be made a second time.",)
    return ()
