"""A backend without a model: draws gradients and shapes from prompt and seed with Pillow.

Same request, same picture, on every machine with the same Pillow. For development, for
tests, and for trying the editor's part of the work without weights: all modes, control and
reference pictures and adapters do something that can be seen.
"""

from __future__ import annotations

import time

from imagepipe.generation.backends.sketch import Sketch, digest
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.environment import library_versions, platform_name
from imagepipe.generation.pictures import to_png
from imagepipe.generation.preparation import prepare
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import (
    CONTROL_KINDS,
    Mode,
    ModelReference,
    OnStep,
    Request,
    Result,
)

SCHEDULERS = ("sketch", "outline")
PREVIEW_EVERY = 5


class FakeBackend:
    """Deterministic pictures without weights. ``seconds_per_step`` slows it for demos."""

    name = "fake"
    version = "1"

    def __init__(self, seconds_per_step: float = 0.0) -> None:
        if seconds_per_step < 0:
            raise ValueError("seconds_per_step must not be negative")
        self._pause = seconds_per_step

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        return Capabilities(
            modes=frozenset(Mode),
            reproducible=True,
            schedulers=SCHEDULERS,
            size_multiple=1,
            native_sizes=((512, 512), (768, 512), (512, 768)),
            supports_preview=True,
            supports_controls=True,
            supports_adapters=True,
            supports_references=True,
            control_kinds=CONTROL_KINDS,
        )

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        started = time.monotonic()
        steps = request.steps
        prepared = prepare(request)
        sketch = Sketch(request, model, prepared)
        if on_step:
            on_step(0, steps, None)
        for step in range(1, steps + 1):
            sketch.draw(step)
            if self._pause:
                time.sleep(self._pause)
            if on_step:
                on_step(step, steps, sketch.preview() if step % PREVIEW_EVERY == 0 else None)
        edit, picture = prepared.edit, sketch.picture()
        return Result(
            png=to_png(edit.finish(picture) if edit else picture),
            width=request.width,
            height=request.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=Environment(
                backend=self.name,
                backend_version=self.version,
                model_sha256=digest(model.slug, model.location),
                scheduler=request.scheduler or SCHEDULERS[0],
                precision="uint8",
                device="cpu",
                platform=platform_name(),
                libraries=library_versions("Pillow"),
            ),
            contents={
                place: digest(place)
                for place in (
                    *(adapter.location for adapter in request.adapters),
                    *(control.model.location for control in request.controls),
                )
            },
        )
