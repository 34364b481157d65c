"""What a backend can do with a model, declared before anything is asked of it."""

from __future__ import annotations

from dataclasses import dataclass

from imagepipe.generation.exceptions import UnsupportedRequest
from imagepipe.generation.request import ADAPTER_KINDS, Mode, Request


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declared abilities. A backend does all it declares and refuses all else.

    ``native_sizes`` are the sizes the model was made for; other sizes up to ``max_pixels``
    work when both sides are multiples of ``size_multiple``. ``reproducible`` promises
    bit-identical pictures for the same request, model content and environment. Inpainting
    and outpainting keep any size: the engine works on a padded canvas.
    """

    modes: frozenset[Mode] = frozenset({Mode.TEXT_TO_IMAGE})
    reproducible: bool = False
    schedulers: tuple[str, ...] = ()
    max_pixels: int = 2048 * 2048
    max_steps: int = 150
    size_multiple: int = 8
    native_sizes: tuple[tuple[int, int], ...] = ()
    supports_negative: bool = True
    supports_guidance_rescale: bool = False
    supports_progress: bool = True
    supports_preview: bool = False
    supports_cancel: bool = True
    supports_controls: bool = False
    supports_adapters: bool = False
    supports_references: bool = False
    supports_guidance: bool = True
    """Whether the strength of guidance changes anything."""
    control_kinds: tuple[str, ...] = ()
    """Kinds of control pictures; empty with ``supports_controls``: whatever the weights say."""
    control_modes: frozenset[Mode] = frozenset(Mode)
    """Modes in which control pictures can be used."""
    reference_modes: frozenset[Mode] = frozenset(Mode)
    """Modes in which reference pictures can be used."""
    adapter_kinds: tuple[str, ...] = ADAPTER_KINDS
    """Kinds of adapters, with ``supports_adapters``."""
    max_prompt_tokens: int | None = None
    """Longest prompt in the model's own tokens; None when there is no limit."""
    only_native_sizes: bool = False
    """Whether no other sizes than ``native_sizes`` are possible."""
    supports_seed: bool = True
    """Whether the seed changes anything; without, nothing is reproducible."""
    supports_steps: bool = True
    """Whether the number of steps changes anything."""
    supports_strength: bool = True
    """Whether the strength of image-to-image changes anything."""
    identifies_weights: bool = True
    """Whether the content hashes of all weights that are used are known."""

    def check(self, request: Request) -> None:
        """Raise :class:`UnsupportedRequest` with the first reason why not."""
        for problem in (
            self._mode_problem(request),
            self._size_problem(request),
            self._option_problem(request),
        ):
            if problem:
                raise UnsupportedRequest(problem)

    def _mode_problem(self, request: Request) -> str | None:
        if request.mode not in self.modes:
            return f"This backend cannot do {request.mode}."
        extras = (
            ("control pictures", request.controls, self.supports_controls),
            ("adapters", request.adapters, self.supports_adapters),
            ("reference pictures", request.references, self.supports_references),
        )
        for name, wanted, supported in extras:
            if wanted and not supported:
                return f"This backend cannot use {name} with this model."
        if request.controls and request.mode not in self.control_modes:
            return f"This model cannot use control pictures in the mode {request.mode}."
        if request.references and request.mode not in self.reference_modes:
            return f"This model cannot use reference pictures in the mode {request.mode}."
        for control in request.controls:
            if self.control_kinds and control.kind not in self.control_kinds:
                known = ", ".join(self.control_kinds)
                return f"Control pictures of kind “{control.kind}” are unknown. Known: {known}."
        for adapter in request.adapters:
            if adapter.kind not in self.adapter_kinds:
                return f"This model cannot use adapters of kind “{adapter.kind}”."
        return None

    def _size_problem(self, request: Request) -> str | None:
        size = f"{request.width}×{request.height}"
        if request.width * request.height > self.max_pixels:
            return f"{size} is too large; at most {self.max_pixels} pixels are possible."
        if request.mode in (Mode.INPAINT, Mode.OUTPAINT):
            return None
        if self.only_native_sizes and (request.width, request.height) not in self.native_sizes:
            known = ", ".join(f"{width}×{height}" for width, height in self.native_sizes)
            return f"{size} is not possible here. Possible are: {known}."
        if request.width % self.size_multiple or request.height % self.size_multiple:
            return (
                f"{size} is not possible with this model: "
                f"width and height must be multiples of {self.size_multiple}."
            )
        return None

    def _option_problem(self, request: Request) -> str | None:
        if request.steps > self.max_steps:
            return f"{request.steps} steps are too many; at most {self.max_steps} are possible."
        if request.negative_prompt.strip() and not self.supports_negative:
            return "This model does not understand negative prompts. Leave it empty."
        if request.guidance_rescale and not self.supports_guidance_rescale:
            return "This model has no guidance rescale. Set it to 0."
        if request.scheduler is not None and request.scheduler not in self.schedulers:
            known = ", ".join(self.schedulers) or "none"
            return f"The scheduler “{request.scheduler}” is unknown here. Known: {known}."
        return None
