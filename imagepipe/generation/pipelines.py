"""Pipelines of diffusers for one job each, all on the same loaded weights.

A pipeline object must not serve two jobs (its scheduler holds the state of the walk), and
each mode has a class of its own. https://huggingface.co/docs/diffusers
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from imagepipe.generation.exceptions import UnsupportedRequest
from imagepipe.generation.families import Family, family_of
from imagepipe.generation.request import Mode

BLENDED_CHANNELS = frozenset({4, 9})
"""Channels of a UNet that the inpainting pipelines of Stable Diffusion accept."""


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """Shared weights. Never run ``base`` itself: use :meth:`for_job`."""

    base: Any
    sha256: str

    @property
    def family(self) -> Family:
        return family_of(type(self.base).__name__)

    def blends(self, mode: Mode) -> bool:
        """Whether we keep the unmasked part ourselves, step by step.

        The inpainting pipelines refuse decoders with another number of channels.
        """
        unet = getattr(self.base, "unet", None)
        return (
            mode in (Mode.INPAINT, Mode.OUTPAINT)
            and unet is not None
            and unet.config.in_channels not in BLENDED_CHANNELS
        )

    def for_job(
        self,
        scheduler: str | None,
        mode: Mode = Mode.TEXT_TO_IMAGE,
        controls: tuple[Any, ...] = (),
    ) -> Any:
        """Return the pipeline of a mode on the same weights, with a scheduler of its own.

        ``controls`` are loaded ControlNets. Raises :class:`UnsupportedRequest` for a
        scheduler that does not fit the model.
        """
        import diffusers

        family = self.family
        name = (family.control_classes if controls else family.classes)[mode]
        changes: dict[str, Any] = {"scheduler": self._scheduler(scheduler)}
        if controls:
            changes["controlnet"] = controls[0] if len(controls) == 1 else list(controls)
        kind = getattr(diffusers, name, None) or type(self.base)
        pipeline = _rebuild(self.base, kind, changes)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _scheduler(self, name: str | None) -> Any:
        import diffusers

        current = self.base.scheduler
        own = type(current).__name__
        if name is None or name == own:
            return type(current).from_config(current.config)
        schedulers = self.family.schedulers
        if own not in schedulers or name not in schedulers:
            raise UnsupportedRequest(
                f"The scheduler “{name}” does not fit this model. "
                f"Fitting are: {', '.join(schedulers if own in schedulers else (own,))}."
            )
        # The first steps of PNDM's own kind need more than a few.
        changes = {"skip_prk_steps": True} if name == "PNDMScheduler" else {}
        return getattr(diffusers, name).from_config(current.config, **changes)


def _rebuild(base: Any, kind: type, changes: dict[str, Any]) -> Any:
    """Return a new pipeline on the same component objects.

    ``from_pipe`` is not used: it leaves out components of an unusual class, such as a tiny
    decoder, and casts the shared weights again for every job.
    """
    accepted = inspect.signature(kind).parameters
    options = {
        name: base.config[name]
        for name in accepted
        if name in base.config and name not in base.components
    }
    components = {name: part for name, part in base.components.items() if name in accepted}
    return kind(**(components | options | changes))
