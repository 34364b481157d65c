"""The models of this process: loaded when first asked for, then kept as long as they fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagepipe.generation.adapters import LoadedReferences
from imagepipe.generation.loading import Loader, memory_of
from imagepipe.generation.model_cache import ModelCache
from imagepipe.generation.pipelines import LoadedPipeline
from imagepipe.generation.request import ModelReference


class WarmModels:
    """Pipelines, ControlNets and image encoders under one budget of memory.

    All methods raise ``UnsafeModel`` when the content is not the one that is expected.
    ``contents`` collects the content hash of each companion by its location.
    """

    def __init__(self, loader: Loader, cache: ModelCache) -> None:
        self._loader = loader
        self._cache = cache

    def pipeline(self, model: ModelReference) -> LoadedPipeline:
        folder = self._loader.pipeline_folder(model.location)
        sha256 = self._loader.content(folder, model.slug, model.sha256)
        return self._cache.get(
            ("pipeline", str(folder.resolve()), sha256),
            self._loader.expected_bytes(folder),
            lambda: LoadedPipeline(self._loader.pipeline(folder), sha256),
            lambda loaded: memory_of(*loaded.base.components.values()),
        )

    def control(
        self, model: ModelReference, loaded: LoadedPipeline, contents: dict[str, str]
    ) -> Any:
        folder = self.companion(model.slug, model.location, model.sha256, contents)
        kind = loaded.family.control_model
        return self._cache.get(
            (kind, str(folder.resolve()), contents[model.location]),
            self._loader.expected_bytes(folder),
            lambda: self._loader.control_model(folder, kind),
            memory_of,
        )

    def references(
        self, reader: ModelReference, weight: float, contents: dict[str, str]
    ) -> LoadedReferences:
        folder = self.companion(reader.slug, reader.location, reader.sha256, contents)
        place = folder / "image_encoder"
        encoder, processor = self._cache.get(
            ("image encoder", str(place.resolve()), contents[reader.location]),
            self._loader.expected_bytes(place),
            lambda: self._loader.image_encoder(place),
            lambda loaded: memory_of(loaded[0]),
        )
        return LoadedReferences(folder, encoder, processor, weight)

    def companion(
        self, slug: str, location: str, expected: str, contents: dict[str, str]
    ) -> Path:
        folder = self._loader.folder(location)
        contents[location] = self._loader.content(folder, slug, expected)
        return folder
