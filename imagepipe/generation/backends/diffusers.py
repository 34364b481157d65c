"""Pictures from diffusion models on this machine, through Hugging Face diffusers.

Weights come from a local folder or the hub's local cache, as safetensors only; code in
model folders never runs. One picture per call, because pictures of a batch are not
bit-identical to single ones.
"""

from __future__ import annotations

import contextlib
import copy
import io
import threading
import time
from typing import Any

from PIL import Image

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.environment import library_versions, platform_name, processor_name
from imagepipe.generation.exceptions import (
    GenerationError,
    InvalidPicture,
    OutOfMemory,
)
from imagepipe.generation.model_capabilities import SCHEDULERS, read_capabilities
from imagepipe.generation.pipelines import LoadedPipeline, PipelineCache
from imagepipe.generation.previews import render_preview
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import ModelReference, OnStep, Request, Result

LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "Pillow")
PRECISIONS = ("float32", "bfloat16", "float16")
SPECIAL_TOKENS = 2
"""Which a tokenizer puts around a text."""
_CPU = threading.Lock()


class DiffusersBackend:
    """Text to image with any pipeline that diffusers can load by itself.

    ``device`` is a torch device, ``precision`` one of :data:`PRECISIONS` (half precision is
    for accelerators), ``threads`` the torch threads of a job (part of the recipe: another
    number may change the last bits), ``max_models`` how many models stay in memory,
    ``preview_every`` the steps between previews (0: none).
    """

    name = "diffusers"
    version = "1"

    def __init__(
        self,
        device: str = "cpu",
        precision: str = "float32",
        threads: int = 1,
        max_models: int = 2,
        max_pixels: int = 2048 * 2048,
        preview_every: int = 4,
        allow_download: bool = False,
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}")
        if threads < 1 or max_models < 1 or preview_every < 0:
            raise ValueError("threads and max_models start at 1, preview_every at 0")
        self._device = device
        self._precision = precision
        self._threads = threads
        self._max_pixels = max_pixels
        self._preview_every = preview_every
        self._cache = PipelineCache(device, precision, allow_download, max_models)

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        if model is None:
            return Capabilities(
                reproducible=True,
                schedulers=SCHEDULERS,
                max_pixels=self._max_pixels,
                supports_guidance_rescale=True,
                supports_preview=True,
            )
        return read_capabilities(self._cache.folder(model), self._max_pixels)

    def warm_up(self, model: ModelReference) -> None:
        """Load the model now, so that the first picture does not wait for it."""
        self._cache.get(model)

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        started = time.monotonic()
        if on_step:
            on_step(0, request.steps, None)
        loaded = self._cache.get(model)
        pipeline = loaded.for_job(request.scheduler)
        image = self._run(pipeline, request, _Steps(on_step, self._preview_every))
        if image.size != (request.width, request.height):
            raise InvalidPicture(
                f"The model answered with {image.width}×{image.height} instead of "
                f"{request.width}×{request.height}."
            )
        output = io.BytesIO()
        image.convert("RGB").save(output, "PNG")
        return Result(
            png=output.getvalue(),
            width=image.width,
            height=image.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=self._environment(loaded, pipeline),
            warnings=_warnings(pipeline, request),
        )

    def _run(self, pipeline: Any, request: Request, steps: _Steps) -> Image.Image:
        import torch

        options: dict[str, Any] = {}
        if request.negative_prompt.strip():
            options["negative_prompt"] = request.negative_prompt
        if request.guidance_rescale:
            options["guidance_rescale"] = request.guidance_rescale
        # On a CPU two jobs at once gain nothing, and their results are not bit-exact.
        alone = _CPU if self._device == "cpu" else contextlib.nullcontext()
        try:
            with alone:
                torch.set_num_threads(self._threads)
                return pipeline(
                    prompt=request.prompt,
                    num_inference_steps=request.steps,
                    guidance_scale=request.guidance,
                    width=request.width,
                    height=request.height,
                    generator=torch.Generator("cpu").manual_seed(request.seed),
                    callback_on_step_end=steps,
                    **options,
                ).images[0]
        except GenerationError:
            raise
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _out_of_memory(request) from error
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise _out_of_memory(request) from error
            raise

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
            threads=self._threads,
            libraries=library_versions(*LIBRARIES),
        )

    def _hardware(self) -> str:
        if self._device.startswith("cuda"):
            import torch

            return torch.cuda.get_device_name(self._device)
        return processor_name()


class _Steps:
    """The callback of one run: checks the numbers, reports progress, shows previews."""

    def __init__(self, on_step: OnStep | None, preview_every: int) -> None:
        self._on_step = on_step
        self._preview_every = preview_every

    def __call__(self, pipeline: Any, index: int, timestep: Any, values: Any) -> Any:
        step, steps = index + 1, pipeline.num_timesteps
        latents = values["latents"]
        if step == steps and not latents.isfinite().all():
            raise InvalidPicture(
                "The computation left the range of numbers. "
                "Try another scheduler, more steps or less guidance."
            )
        if self._on_step:
            wanted = self._preview_every and step % self._preview_every == 0 and step < steps
            self._on_step(step, steps, render_preview(pipeline, latents) if wanted else None)
        return values


def _warnings(pipeline: Any, request: Request) -> tuple[str, ...]:
    tokenizer = getattr(pipeline, "tokenizer", None)
    longest = getattr(tokenizer, "model_max_length", None)
    if tokenizer is None or not isinstance(longest, int) or longest > 100_000:
        return ()
    found = []
    for name, text in (
        ("prompt", request.prompt),
        ("negative prompt", request.negative_prompt),
    ):
        if len(text.encode()) + SPECIAL_TOKENS <= longest:
            continue  # no token is shorter than a byte
        # Truncation is a state of the tokenizer, which other jobs are using.
        own = copy.deepcopy(tokenizer)
        tokens = len(own(text, truncation=False).input_ids)
        if tokens > longest:
            found.append(
                f"The model reads {longest - SPECIAL_TOKENS} tokens; "
                f"the {name} has {tokens - SPECIAL_TOKENS}, "
                "so its end was ignored."
            )
    return tuple(found)


def _out_of_memory(request: Request) -> OutOfMemory:
    return OutOfMemory(
        f"There is not enough memory for {request.width}×{request.height}. "
        "Choose a smaller size, or try again when less is running."
    )
