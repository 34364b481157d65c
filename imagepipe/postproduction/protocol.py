"""The contract of a post-production step, and the runner of an ordered list of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PIL import Image

Scalar = str | int | float | bool | None
Parameters = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What ran, for the recipe of the picture."""

    step: str
    version: str
    parameters: Parameters


@runtime_checkable
class Step(Protocol):
    """Turns a picture into a picture; deterministic, and leaves its input alone.

    ``version`` changes whenever the same parameters would give other pixels.
    """

    slug: str
    version: str

    @property
    def parameters(self) -> Parameters:
        """Sorted pairs of everything that decides about the result."""
        ...

    def apply(self, image: Image.Image) -> Image.Image:
        """Return the new picture, RGB or RGBA."""
        ...


def run_steps(
    image: Image.Image, steps: Iterable[Step]
) -> tuple[Image.Image, tuple[StepFacts, ...]]:
    """Apply the steps in order; return the picture and what was done."""
    facts = []
    for step in steps:
        image = step.apply(image)
        facts.append(StepFacts(step.slug, step.version, step.parameters))
    return image, tuple(facts)
