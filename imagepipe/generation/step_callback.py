"""What diffusers calls after each step: progress, previews, blending, a look at the numbers."""

from __future__ import annotations

from typing import Any

from imagepipe.generation.exceptions import InvalidPicture
from imagepipe.generation.kept_latents import KeptLatents
from imagepipe.generation.preparation import Prepared
from imagepipe.generation.previews import render_preview
from imagepipe.generation.request import OnStep


class StepCallback:
    """The callback of one run: checks the numbers, reports progress, shows previews."""

    def __init__(self, on_step: OnStep | None, preview_every: int, prepared: Prepared) -> None:
        self._on_step = on_step
        self._preview_every = preview_every
        self._prepared = prepared
        self.kept: KeptLatents | None = None

    def __call__(self, pipeline: Any, index: int, timestep: Any, values: Any) -> Any:
        step, steps = index + 1, pipeline.num_timesteps
        if self.kept:
            values["latents"] = self.kept(pipeline, index, values["latents"])
        latents = values["latents"]
        if step == steps and not latents.isfinite().all():
            raise InvalidPicture(
                "The computation left the range of numbers. "
                "Try another scheduler, more steps or less guidance."
            )
        if self._on_step:
            wanted = self._preview_every and step % self._preview_every == 0 and step < steps
            size = (self._prepared.width, self._prepared.height)
            preview = render_preview(pipeline, latents, size) if wanted else None
            self._on_step(step, steps, preview)
        return values
