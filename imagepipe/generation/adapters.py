"""Weights added to a loaded model for one job, and taken away again afterwards.

LoRA and IP-Adapter change modules that other jobs use, so nothing else may run on the model
meanwhile. Embeddings go into copies of the tokenizer and the text encoder.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagepipe.generation.exceptions import GenerationError, InvalidModel
from imagepipe.generation.loading import SAFE, first_line
from imagepipe.generation.request import Adapter


@dataclass(frozen=True, slots=True)
class LoadedReferences:
    """The weights that let a model follow reference pictures (IP-Adapter)."""

    folder: Path
    encoder: Any
    processor: Any
    weight: float


def only_weights(folder: Path) -> str:
    """Return the name of the one weights file directly in a folder of one model."""
    names = sorted(path.name for path in folder.glob("*.safetensors"))
    if len(names) != 1:
        raise InvalidModel(
            f"“{folder.name}” must hold exactly one .safetensors file, not {len(names)}."
        )
    return names[0]


@contextlib.contextmanager
def attached(
    pipeline: Any,
    adapters: tuple[tuple[Adapter, Path], ...],
    references: LoadedReferences | None,
) -> Iterator[None]:
    """Add the weights to the pipeline; the shared modules are as before on leaving."""
    loras = [(a, folder) for a, folder in adapters if a.kind == "lora"]
    embeddings = [(a, folder) for a, folder in adapters if a.kind == "textual-inversion"]
    processors = dict(pipeline.unet.attn_processors) if references else {}
    try:
        _load_embeddings(pipeline, embeddings)
        _load_loras(pipeline, loras)
        if references:
            _load_references(pipeline, references)
        yield
    finally:
        if references:
            pipeline.unload_ip_adapter()
            pipeline.unet.set_attn_processor(processors)
        if loras:
            pipeline.unload_lora_weights()


def _load_embeddings(pipeline: Any, embeddings: list[tuple[Adapter, Path]]) -> None:
    if not embeddings:
        return
    pipeline.tokenizer = copy.deepcopy(pipeline.tokenizer)
    pipeline.text_encoder = copy.deepcopy(pipeline.text_encoder)
    for adapter, folder in embeddings:
        with _fitting(adapter.slug):
            pipeline.load_textual_inversion(
                str(folder),
                weight_name=only_weights(folder),
                token=adapter.token or None,
                **SAFE,
            )


def _load_loras(pipeline: Any, loras: list[tuple[Adapter, Path]]) -> None:
    names = [f"lora_{number}" for number in range(len(loras))]
    for name, (adapter, folder) in zip(names, loras, strict=True):
        with _fitting(adapter.slug):
            pipeline.load_lora_weights(
                str(folder), weight_name=only_weights(folder), adapter_name=name, **SAFE
            )
    if loras:
        with _fitting(loras[0][0].slug):
            pipeline.set_adapters(names, [float(adapter.weight) for adapter, _ in loras])


def _load_references(pipeline: Any, references: LoadedReferences) -> None:
    with _fitting(references.folder.name):
        pipeline.register_modules(
            image_encoder=references.encoder, feature_extractor=references.processor
        )
        pipeline.load_ip_adapter(
            str(references.folder),
            subfolder="",
            weight_name=only_weights(references.folder),
            image_encoder_folder=None,
            local_files_only=True,
        )
        pipeline.set_ip_adapter_scale(float(references.weight))


@contextlib.contextmanager
def _fitting(name: str) -> Iterator[None]:
    try:
        yield
    except (GenerationError, MemoryError):
        raise
    except Exception as error:
        raise InvalidModel(
            f"The adapter “{name}” does not fit this model: {first_line(error)}"
        ) from error
