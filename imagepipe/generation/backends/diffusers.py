"""Pictures from diffusion models on this machine, through Hugging Face diffusers.

Weights come from a local folder or the hub's local cache, as safetensors only; code in
model folders never runs. One picture per call, because pictures of a batch are not
bit-identical to single ones.
"""

from __future__ import annotations

import time
from typing import Any

from PIL import Image

from imagepipe.generation.adapters import attached
from imagepipe.generation.call_options import call_options, unheard
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.environment import library_versions, platform_name, processor_name
from imagepipe.generation.exceptions import InvalidPicture, InvalidRequest
from imagepipe.generation.execution import ATTENTIONS, OFFLOADS, Execution
from imagepipe.generation.families import NOISE_SCHEDULERS
from imagepipe.generation.kept_latents import KeptLatents
from imagepipe.generation.loading import Loader
from imagepipe.generation.model_cache import ModelCache
from imagepipe.generation.model_capabilities import read_capabilities
from imagepipe.generation.pictures import to_png
from imagepipe.generation.pipelines import LoadedPipeline
from imagepipe.generation.preparation import Prepared, prepare
from imagepipe.generation.prompt_length import prompt_warnings
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import Mode, ModelReference, OnStep, Request, Result
from imagepipe.generation.step_callback import StepCallback
from imagepipe.generation.warm_models import WarmModels

LIBRARIES = ("torch", "diffusers", "transformers", "peft", "safetensors", "numpy", "Pillow")
PRECISIONS = ("float32", "bfloat16", "float16")
GIBIBYTE = 2**30


class DiffusersBackend:
    """All modes with any pipeline that diffusers can load by itself, as its family allows.

    ``device`` is a torch device, ``precision`` one of :data:`PRECISIONS` (half precision is
    for accelerators), ``threads`` the torch threads of a job (part of the recipe: another
    number may change the last bits), ``memory`` the bytes of models that stay loaded,
    ``preview_every`` the steps between previews (0: none). ``offload`` moves weights to the
    accelerator only when they are needed: ``"none"``, ``"model"`` (one part at a time) or
    ``"sequential"`` (one layer at a time). ``attention``: ``"auto"``, ``"math"``,
    ``"efficient"``, ``"flash"`` or ``"cudnn"``.
    """

    name = "diffusers"
    version = "1"

    def __init__(
        self,
        device: str = "cpu",
        precision: str = "float32",
        threads: int = 1,
        memory: int = 8 * GIBIBYTE,
        max_pixels: int = 2048 * 2048,
        preview_every: int = 4,
        allow_download: bool = False,
        offload: str = "none",
        attention: str = "auto",
    ) -> None:
        _one_of("precision", precision, PRECISIONS)
        _one_of("offload", offload, OFFLOADS)
        _one_of("attention", attention, tuple(ATTENTIONS))
        if threads < 1 or memory < 0 or preview_every < 0:
            raise ValueError("threads start at 1, memory and preview_every at 0")
        if offload != "none" and device == "cpu":
            raise ValueError("offload needs an accelerator as device")
        self._device = device
        self._precision = precision
        self._max_pixels = max_pixels
        self._preview_every = preview_every
        self._execution = Execution(device, threads, offload, attention)
        self._loader = Loader(device, precision, allow_download, offload != "none")
        self._cache = ModelCache(memory)
        self._models = WarmModels(self._loader, self._cache)

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        if model is None:
            return Capabilities(
                modes=frozenset(Mode),
                reproducible=True,
                schedulers=NOISE_SCHEDULERS,
                max_pixels=self._max_pixels,
                supports_guidance_rescale=True,
                supports_preview=True,
                supports_controls=True,
                supports_adapters=True,
                supports_references=True,
            )
        return read_capabilities(self._loader.pipeline_folder(model.location), self._max_pixels)

    def warm_up(self, model: ModelReference) -> None:
        """Load the model now, so that the first picture does not wait for it."""
        self._models.pipeline(model)

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        capabilities = self.capabilities(model)
        capabilities.check(request)
        reader = _reader(request)
        prepared = prepare(request, capabilities.size_multiple)
        started = time.monotonic()
        if on_step:
            on_step(0, request.steps, None)
        loaded = self._models.pipeline(model)
        contents: dict[str, str] = {}
        controls = tuple(
            self._models.control(c.model, loaded, contents) for c in request.controls
        )
        references = (
            self._models.references(reader, request.references[0].weight, contents)
            if reader
            else None
        )
        adapters = tuple(
            (a, self._models.companion(a.slug, a.location, a.sha256, contents))
            for a in request.adapters
        )
        with self._execution.alone(request):
            mode = _working_mode(loaded, request)
            pipeline = loaded.for_job(request.scheduler, mode, controls)
            with attached(pipeline, adapters, references), self._execution.placed(pipeline):
                steps = StepCallback(on_step, self._preview_every, prepared)
                if loaded.blends(request.mode) and prepared.start and prepared.region:
                    steps.kept = KeptLatents(
                        pipeline, prepared.start, prepared.region, request.seed
                    )
                options = call_options(pipeline, request, prepared, mode)
                warnings = (
                    *prompt_warnings(pipeline, request),
                    *unheard(pipeline, request),
                )
                image = self._execution.run(pipeline, request, options, steps)
        image = _checked(image, prepared)
        return Result(
            png=to_png(prepared.edit.finish(image) if prepared.edit else image),
            width=request.width,
            height=request.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=self._environment(loaded, pipeline),
            warnings=warnings,
            contents=contents,
        )

    def _environment(self, loaded: LoadedPipeline, pipeline: Any) -> Environment:
        return Environment(
            backend=self.name,
            backend_version=self.version,
            model_sha256=loaded.sha256,
            scheduler=type(pipeline.scheduler).__name__,
            precision=self._precision,
            device=self._device,
            hardware=self._hardware(),
            platform=platform_name(),
            threads=self._execution.threads,
            libraries=library_versions(*LIBRARIES),
            settings=(
                ("attention", self._execution.attention),
                ("offload", self._execution.offload),
            ),
        )

    def _hardware(self) -> str:
        if self._device.startswith("cuda"):
            import torch

            return torch.cuda.get_device_name(self._device)
        return processor_name()


def _working_mode(loaded: LoadedPipeline, request: Request) -> Mode:
    """Where we blend ourselves, painting starts from noise, or from the noised source."""
    if not loaded.blends(request.mode):
        return request.mode
    return Mode.TEXT_TO_IMAGE if request.strength == 1 else Mode.IMAGE_TO_IMAGE


def _reader(request: Request) -> ModelReference | None:
    """Return the one model that reads the reference pictures."""
    if not request.references:
        return None
    first = request.references[0]
    if first.model is None:
        raise InvalidRequest("Reference pictures need an IP-Adapter that reads them.")
    if any((r.model, r.weight) != (first.model, first.weight) for r in request.references):
        raise InvalidRequest(
            "All reference pictures of one request share one IP-Adapter and one weight."
        )
    return first.model


def _checked(image: Image.Image, prepared: Prepared) -> Image.Image:
    if image.size != (prepared.width, prepared.height):
        raise InvalidPicture(
            f"The model answered with {image.width}×{image.height} instead of "
            f"{prepared.width}×{prepared.height}."
        )
    return image.convert("RGB")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}")
