"""Makes one picture with a generation backend and keeps the raw PNG with its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.conf import get_settings
from imagepipe.exceptions import ImagepipeError
from imagepipe.generation import engines
from imagepipe.generation.backends import registry as backends
from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.exceptions import Cancelled
from imagepipe.generation.recording import build_recipe
from imagepipe.generation.request import (
    Adapter,
    Control,
    Mode,
    ModelReference,
    Reference,
    Request,
)
from imagepipe.workflow import blobs
from imagepipe.workflow.context import StepContext
from imagepipe.workflow.picture_making import make_picture
from imagepipe.workflow.steps.registry import Step


def get_backend(name: str, **chosen: Any) -> Backend:
    """Return the engine of that name, or the backend with this installation's options.

    ``chosen`` options override those of a backend here; an engine elsewhere has none.
    """
    if (engine := engines.find_backend(name)) is not None:
        return engine
    settings = get_settings()
    options: dict[str, Any] = {}
    if name == "diffusers":
        options = {
            "device": settings.DEVICE,
            "threads": settings.TORCH_THREADS,
            "precision": settings.PRECISION,
            "offload": settings.OFFLOAD,
            "attention": settings.ATTENTION,
            "memory": settings.MODEL_MEMORY,
        }
    return backends.get(name, **(options | dict(settings.BACKENDS.get(name, {})) | chosen))


def run(context: StepContext) -> dict[str, Any]:
    params = context.node.params
    facts = params["model"]
    request = make_request(params, facts["slug"], context.inputs)
    progress = Progress(context)
    try:
        made = make_picture(
            context.run, request, facts, progress, get_backend, context.charge
        )
    except Cancelled as error:
        # A backend may wrap what on_step raised; the original reason decides what follows.
        raise progress.reason or error from error
    context.check()
    notes = tuple(params.get("notes", ()))
    result = replace(made.result, warnings=(*notes, *made.result.warnings))
    output = {
        "sha256": blobs.store(result.png),
        "width": result.width,
        "height": result.height,
        "seed": result.seed,
        "seconds": round(result.seconds, 3),
        "warnings": list(result.warnings),
        "recipe": build_recipe(made.request, made.model, result).to_dict(),
    }
    return output | ({"fallback": made.fallback} if made.fallback else {})


def make_request(
    params: Mapping[str, Any], model: str, inputs: Mapping[str, Mapping[str, Any]]
) -> Request:
    """Return the request that the parameters and the outputs of earlier steps stand for."""
    start = inputs.get("canvas") or inputs.get("start")
    width, height = start["work"] if start else (params["width"], params["height"])
    return Request(
        prompt=params["prompt"],
        negative_prompt=params["negative"],
        model=model,
        seed=params["seed"],
        width=width,
        height=height,
        steps=params["steps"],
        guidance=params["guidance"],
        guidance_rescale=params["guidance_rescale"],
        scheduler=params["scheduler"],
        mode=params.get("mode", Mode.TEXT_TO_IMAGE),
        init_image=blobs.read(start["init"]) if start else None,
        mask=blobs.read(start["mask"]) if start and "mask" in start else None,
        strength=params.get("strength", 1.0),
        controls=read_controls(params, inputs),
        adapters=tuple(Adapter(**adapter) for adapter in params.get("adapters", ())),
        references=read_references(params, inputs),
        # The step “compose” fades at the size of the master.
        feather=0,
        offset=(0, 0) if params.get("mode") == Mode.OUTPAINT else None,
    )


def read_controls(
    params: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]]
) -> tuple[Control, ...]:
    """Return the control pictures, in the order in which they were asked for."""
    return tuple(
        Control(
            kind=control["kind"],
            image=blobs.read(inputs[f"control-{number}"]["sha256"]),
            model=ModelReference(**control["model"]),
            weight=control["weight"],
            start=control["start"],
            end=control["end"],
        )
        for number, control in enumerate(params.get("controls", ()))
    )


def read_references(
    params: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]]
) -> tuple[Reference, ...]:
    """Return the pictures to follow, in the order in which they were asked for."""
    return tuple(
        Reference(
            image=blobs.read(inputs[f"reference-{number}"]["sha256"]),
            weight=reference["weight"],
            model=ModelReference(**reference["model"]) if reference["model"] else None,
        )
        for number, reference in enumerate(params.get("references", ()))
    )


class Progress:
    """Called by the backend after each step: may stop it, reports at most twice a second."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._preview: bytes | None = None
        self._shown = False
        self.index = candidate_index(context.node.id)
        self.reason: ImagepipeError | None = None

    def __call__(self, step: int, steps: int, preview: bytes | None) -> None:
        try:
            self._context.check()
        except ImagepipeError as reason:
            self.reason = reason
            raise Cancelled(str(reason)) from reason
        self._preview = preview or self._preview
        message = _("Picture %(number)d: step %(step)d of %(steps)d") % {
            "number": self.index + 1,
            "step": step,
            "steps": steps,
        }
        written = self._context.report(step / max(1, steps), message)
        if self._preview and (written or not self._shown):
            self._shown = True  # the first one at once: somebody waits for a sign of life
            self._context.show_preview(self.index, self._preview)
            self._preview = None


def candidate_index(node_id: str) -> int:
    """Return which candidate a node belongs to, from the number at the end of its name."""
    number = node_id.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


STEP = Step(
    "generate",
    run,
    weight=10,
    reusable=True,
    blobs=("sha256",),
    takes=(("policy", "policy"),),
    may_take=(
        ("canvas", "canvas"),
        ("start", "start"),
        ("control-", "control"),
        ("reference-", "reference"),
    ),
    gives="picture",
)
