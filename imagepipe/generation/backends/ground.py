"""New room without a model: the ground of the picture goes on, softer the farther away.

For plain grounds this is often better than what a model puts there, and it asks for nothing.
"""

from __future__ import annotations

import time

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.edits import read_edit
from imagepipe.generation.environment import library_versions, platform_name
from imagepipe.generation.pictures import to_png
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import Mode, ModelReference, OnStep, Request, Result

NAME = "ground"
SLUG = "continued-ground"
"""What recipes name in the place of a model."""


class GroundBackend:
    """Extends pictures and nothing else; words, seed and steps have no effect."""

    name = NAME
    version = "1"

    def capabilities(self, model: ModelReference | None = None) -> Capabilities:
        return Capabilities(
            modes=frozenset({Mode.OUTPAINT}),
            reproducible=True,
            max_pixels=100_000_000,
            size_multiple=1,
            supports_guidance_rescale=True,
            supports_guidance=False,
            supports_seed=False,
            supports_steps=False,
            supports_strength=False,
        )

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        started = time.monotonic()
        if on_step:
            on_step(0, request.steps, None)
        edit = read_edit(request)
        if on_step:
            on_step(request.steps, request.steps, None)
        return Result(
            png=to_png(edit.source),
            width=request.width,
            height=request.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=Environment(
                backend=self.name,
                backend_version=self.version,
                model_sha256="",
                scheduler="",
                precision="uint8",
                device="cpu",
                platform=platform_name(),
                libraries=library_versions("Pillow", "numpy", "scipy"),
            ),
        )
