"""Run a pipeline on a device: threads, attention, offloading, and errors that people read."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from imagepipe.generation.exceptions import BackendUnavailable, GenerationError, OutOfMemory
from imagepipe.generation.request import Request
from imagepipe.generation.step_callback import StepCallback

OFFLOADS = ("none", "model", "sequential")
ATTENTIONS = {
    "auto": "",
    "math": "MATH",
    "efficient": "EFFICIENT_ATTENTION",
    "flash": "FLASH_ATTENTION",
    "cudnn": "CUDNN_ATTENTION",
}
"""Names of attention to those of torch.nn.attention.SDPBackend."""
_alone: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""Per device: two jobs at once gain nothing on one, and adapters change shared weights."""


@dataclass(frozen=True, slots=True)
class Execution:
    """How pipelines run. ``threads`` are those of torch on the processor."""

    device: str
    threads: int
    offload: str
    attention: str

    @contextlib.contextmanager
    def alone(self, request: Request) -> Iterator[None]:
        """Keep other jobs off the device, and translate what goes wrong."""
        with _alone[self.device], self._errors(request):
            yield

    def run(
        self, pipeline: Any, request: Request, options: dict[str, Any], steps: StepCallback
    ) -> Image.Image:
        """Return the picture. Raises what ``steps`` raises."""
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel

        torch.set_num_threads(self.threads)
        chosen = ATTENTIONS[self.attention]
        attention = (
            sdpa_kernel(getattr(SDPBackend, chosen)) if chosen else contextlib.nullcontext()
        )
        with attention:
            return pipeline(
                prompt=request.prompt,
                num_inference_steps=request.steps,
                guidance_scale=request.guidance,
                generator=torch.Generator("cpu").manual_seed(request.seed),
                callback_on_step_end=steps,
                **options,
            ).images[0]

    @contextlib.contextmanager
    def placed(self, pipeline: Any) -> Iterator[None]:
        """Bring the weights to the accelerator piece by piece, where that is asked for."""
        if self.offload == "none":
            yield
            return
        if self.offload == "model":
            pipeline.enable_model_cpu_offload(device=self.device)
        else:
            pipeline.enable_sequential_cpu_offload(device=self.device)
        try:
            yield
        finally:
            pipeline.remove_all_hooks()

    @contextlib.contextmanager
    def _errors(self, request: Request) -> Iterator[None]:
        import torch

        try:
            yield
        except GenerationError:
            raise
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _out_of_memory(request) from error
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise _out_of_memory(request) from error
            if "No available kernel" in str(error):
                raise BackendUnavailable(
                    f"This machine has no attention “{self.attention}”. Set it to “auto”."
                ) from error
            raise


def _out_of_memory(request: Request) -> OutOfMemory:
    return OutOfMemory(
        f"There is not enough memory for {request.width}×{request.height}. "
        "Choose a smaller size, or try again when less is running."
    )
