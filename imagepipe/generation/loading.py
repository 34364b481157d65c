"""Model files to objects of diffusers and transformers: safetensors only, no foreign code."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
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
)
from imagepipe.registry.folders import UnusableFolder
from imagepipe.registry.tensors import read_tensors

SAFE: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}


class Loader:
    """Loads to one device in one precision. ``offload``: weights stay in main memory."""

    def __init__(
        self, device: str, precision: str, allow_download: bool = False, offload: bool = False
    ) -> None:
        self._place = "cpu" if offload else device
        self._precision = precision
        self._allow_download = allow_download

    def folder(self, location: str) -> Path:
        """Return the folder of a companion's files, checked to be safe to load."""
        folder = weights.find_folder(location) or self._hub_folder(location)
        weights.check_safe(folder)
        return folder

    def pipeline_folder(self, location: str) -> Path:
        """Return the folder of a whole pipeline, checked to be safe to load."""
        folder = weights.find_folder(location) or self._hub_folder(location)
        weights.read_index(folder)
        weights.check_safe(folder)
        return folder

    def content(self, folder: Path, slug: str, expected: str) -> str:
        """Return the content hash. Raises :class:`UnsafeModel` if another is expected."""
        found = weights.content_sha256(folder)
        if expected and expected != found:
            raise UnsafeModel(
                f"The files of the model “{slug}” have changed since it was registered: "
                f"expected {expected[:12]}…, found {found[:12]}…."
            )
        return found

    def expected_bytes(self, folder: Path) -> int:
        """Return how much memory the weights will take, from the headers of their files.

        Raises :class:`InvalidModel` for files that are not whole.
        """
        numbers = 0
        for path in folder.rglob("*.safetensors"):
            try:
                tensors = read_tensors(path)
            except UnusableFolder as error:
                raise InvalidModel(
                    f"The model in “{folder.name}” cannot be loaded: {error}"
                ) from error
            numbers += sum(math.prod(tensor.shape) for tensor in tensors.values())
        return numbers * (4 if self._precision == "float32" else 2)

    def pipeline(self, folder: Path) -> Any:
        """Return the text-to-image pipeline of a model folder."""
        torch = self.libraries()
        from diffusers import AutoPipelineForText2Image

        index = weights.read_index(folder)
        options: dict[str, Any] = {}
        if "safety_checker" in index:
            options["safety_checker"] = None
        if "requires_safety_checker" in index:
            options["requires_safety_checker"] = False
        if not any(folder.glob("unet/*model.safetensors")) and any(
            folder.glob("unet/*.fp16.safetensors")
        ):
            options["variant"] = "fp16"
        with loading(folder.name):
            base = AutoPipelineForText2Image.from_pretrained(
                folder, dtype=getattr(torch, self._precision), **SAFE, **options
            )
            base.to(self._place)
        base.set_progress_bar_config(disable=True)
        return base

    def control_model(self, folder: Path, class_name: str) -> Any:
        """Return a ControlNet of the class that fits the family."""
        torch = self.libraries()
        import diffusers

        found = weights.read_configuration(folder / "config.json").get("_class_name")
        if found != class_name:
            raise InvalidModel(
                f"“{folder.name}” is no ControlNet for this model "
                f"({str(found)[:40]} instead of {class_name})."
            )
        with loading(folder.name):
            model = getattr(diffusers, class_name).from_pretrained(
                folder, dtype=getattr(torch, self._precision), **SAFE
            )
            return model.to(self._place)

    def image_encoder(self, folder: Path) -> tuple[Any, Any]:
        """Return the encoder of reference pictures and what prepares pictures for it."""
        torch = self.libraries()
        from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

        with loading(folder.name):
            encoder: Any = CLIPVisionModelWithProjection.from_pretrained(
                folder, dtype=getattr(torch, self._precision), **SAFE
            )
            side = int(encoder.config.image_size)
            processor = CLIPImageProcessor(
                size={"shortest_edge": side}, crop_size={"height": side, "width": side}
            )
            return encoder.to(self._place), processor

    def _hub_folder(self, location: str) -> Path:
        self.libraries()
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

    def libraries(self) -> Any:
        """Return torch. Raises :class:`BackendUnavailable`."""
        if not self._allow_download:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            import torch
            from diffusers import AutoPipelineForText2Image  # noqa: F401
        except (ImportError, RuntimeError) as error:
            raise BackendUnavailable(
                "torch and diffusers cannot be imported. Install the extra “diffusers”, and "
                f"no torchvision that does not match torch. ({first_line(error)})"
            ) from error
        _hide_progress_bars()
        return torch


@contextlib.contextmanager
def loading(name: str) -> Iterator[None]:
    """Turn what goes wrong while loading into errors of this package."""
    import torch

    try:
        yield
    except GenerationError:
        raise
    except MemoryError as error:
        raise OutOfMemory("There is not enough memory to load the model.") from error
    except torch.OutOfMemoryError as error:
        raise OutOfMemory("The accelerator's memory is too small for the model.") from error
    except Exception as error:
        raise InvalidModel(
            f"The model in “{name}” cannot be loaded: {first_line(error)}"
        ) from error


def memory_of(*modules: Any) -> int:
    """Return the bytes of all weights and buffers, shared ones once."""
    import torch

    tensors = {
        tensor.data_ptr(): tensor.nbytes
        for module in modules
        if isinstance(module, torch.nn.Module)
        for tensor in (*module.parameters(), *module.buffers())
    }
    return sum(tensors.values())


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its name."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _hide_progress_bars() -> None:
    """Loading is logged by the worker; bars would garble its log."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
