"""Loaded diffusers pipelines, kept warm and shared; each job derives its own from them.

A pipeline object must not serve two jobs at once (its scheduler holds the state of the
walk), but jobs may share the weights. https://huggingface.co/docs/diffusers
"""

from __future__ import annotations

import inspect
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagepipe.generation import weights
from imagepipe.generation.exceptions import (
    BackendUnavailable,
    GenerationError,
    InvalidModel,
    ModelNotFound,
    OutOfMemory,
    UnsafeModel,
    UnsupportedRequest,
)
from imagepipe.generation.request import ModelReference


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """Shared weights. Never run ``base`` itself: use :meth:`for_job`."""

    base: Any
    sha256: str

    def for_job(self, scheduler: str | None) -> Any:
        """Return a pipeline on the same weights with a scheduler of its own.

        Raises :class:`UnsupportedRequest` for a scheduler that does not fit the model.
        """
        current = self.base.scheduler
        cls = type(current)
        if scheduler is not None and scheduler != cls.__name__:
            fitting = {other.__name__: other for other in current.compatibles}
            if scheduler not in fitting:
                raise UnsupportedRequest(
                    f"The scheduler “{scheduler}” does not fit this model. "
                    f"Fitting are: {', '.join(sorted(fitting))}."
                )
            cls = fitting[scheduler]
        own = cls.from_config(current.config)
        pipeline = _rebuild(self.base, scheduler=own)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline


class PipelineCache:
    """The most recently used pipelines of this process. Safe to use from many threads."""

    def __init__(
        self, device: str, precision: str, allow_download: bool, max_models: int
    ) -> None:
        self._device = device
        self._precision = precision
        self._allow_download = allow_download
        self._max_models = max_models
        self._loaded: OrderedDict[tuple[str, str], LoadedPipeline] = OrderedDict()
        self._lock = threading.Lock()

    def folder(self, model: ModelReference) -> Path:
        """Return the folder of the model's files, checked to be safe to load."""
        folder = weights.find_folder(model.location) or self._hub_folder(model.location)
        weights.read_index(folder)
        weights.check_safe(folder)
        return folder

    def get(self, model: ModelReference) -> LoadedPipeline:
        """Return the pipeline, loading it first when needed.

        Raises :class:`UnsafeModel` when the content is not the one that ``model`` expects.
        """
        folder = self.folder(model)
        sha256 = weights.content_sha256(folder)
        if model.sha256 and model.sha256 != sha256:
            raise UnsafeModel(
                f"The files of the model “{model.slug}” have changed since it was registered: "
                f"expected {model.sha256[:12]}…, found {sha256[:12]}…."
            )
        key = (str(folder.resolve()), sha256)
        with self._lock:
            if key not in self._loaded:
                while len(self._loaded) >= self._max_models:
                    self._loaded.popitem(last=False)
                self._loaded[key] = self._load(folder, sha256)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def _load(self, folder: Path, sha256: str) -> LoadedPipeline:
        torch, auto_pipeline = self._libraries()
        dtype = getattr(torch, self._precision)
        options: dict[str, Any] = {}
        index = weights.read_index(folder)
        if "safety_checker" in index:
            options["safety_checker"] = None
        if "requires_safety_checker" in index:
            options["requires_safety_checker"] = False
        if not any(folder.glob("unet/*model.safetensors")) and any(
            folder.glob("unet/*.fp16.safetensors")
        ):
            options["variant"] = "fp16"
        try:
            base = auto_pipeline.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=dtype, **options
            )
            base.to(self._device)
        except MemoryError as error:
            raise OutOfMemory("There is not enough memory to load the model.") from error
        except torch.OutOfMemoryError as error:
            raise OutOfMemory("The accelerator's memory is too small for the model.") from error
        except Exception as error:
            raise InvalidModel(
                f"The model in “{folder.name}” cannot be loaded: {_first_line(error)}"
            ) from error
        base.set_progress_bar_config(disable=True)
        return LoadedPipeline(base, sha256)

    def _hub_folder(self, location: str) -> Path:
        self._libraries()
        from diffusers import DiffusionPipeline
        from huggingface_hub import snapshot_download

        try:
            if self._allow_download:
                return Path(DiffusionPipeline.download(location, use_safetensors=True))
            return Path(snapshot_download(location, local_files_only=True))
        except GenerationError:
            raise
        except Exception as error:
            raise ModelNotFound(
                f"The model “{location}” is not on this machine: there is no such folder, "
                "and the hub's local cache does not have it. Download it first."
            ) from error

    def _libraries(self) -> tuple[Any, Any]:
        if not self._allow_download:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            import torch
            from diffusers import AutoPipelineForText2Image
        except (ImportError, RuntimeError) as error:
            raise BackendUnavailable(
                "torch and diffusers cannot be imported. Install the extra “diffusers”, and "
                f"no torchvision that does not match torch. ({_first_line(error)})"
            ) from error
        _hide_progress_bars()
        return torch, AutoPipelineForText2Image


def _rebuild(base: Any, **changes: Any) -> Any:
    """Return a new pipeline of the same class on the same component objects.

    ``from_pipe`` is not used: it leaves out components of an unusual class, such as a tiny
    decoder, and casts the shared weights again for every job.
    """
    options = {
        name: base.config[name]
        for name in inspect.signature(type(base).__init__).parameters
        if name in base.config and name not in base.components
    }
    return type(base)(**(base.components | options | changes))


def _hide_progress_bars() -> None:
    """Loading is logged by the worker; bars would garble its log."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
