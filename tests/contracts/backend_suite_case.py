"""What the suites of the generation backends share: a case, pictures, a recorder."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from imagepipe.generation.backends.protocol import Backend
from imagepipe.generation.exceptions import Cancelled
from imagepipe.generation.request import Adapter, Control, ModelReference, Reference, Request


@dataclass(frozen=True)
class BackendCase:
    """A backend with a small request. Conditions are needed where they are declared."""

    backend: Backend
    model: ModelReference
    request: Request
    other_size: tuple[int, int]
    controls: tuple[Control, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    references: tuple[Reference, ...] = ()


class Recorder:
    """Collects progress; raises ``Cancelled`` after ``cancel_after`` steps.

    A step that is told again, because nothing happens for a while, counts once.
    """

    def __init__(self, cancel_after: int | None = None) -> None:
        self.calls: list[tuple[int, int]] = []
        self.previews: list[bytes] = []
        self.cancel_after = cancel_after

    def __call__(self, step: int, steps: int, preview: bytes | None) -> None:
        if not self.calls or self.calls[-1] != (step, steps):
            self.calls.append((step, steps))
        if preview is not None:
            self.previews.append(preview)
        if self.cancel_after is not None and step >= self.cancel_after:
            raise Cancelled("Stopped.")


def scene(width: int, height: int, colour: tuple[int, int, int] = (200, 60, 40)) -> bytes:
    """Return a PNG in which no two places look the same, with a disc in its middle."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    noise = np.random.default_rng(width * 1000 + height).integers(0, 40, (height, width))
    pixels = np.stack([x, y, noise + 90], axis=-1).astype(np.uint8)
    image = Image.fromarray(pixels)
    box = (width // 3, height // 3, width * 2 // 3, height * 2 // 3)
    ImageDraw.Draw(image).ellipse(box, fill=colour)
    return png(image)


def mask(width: int, height: int, box: tuple[int, int, int, int]) -> bytes:
    """Return a mask that is white in the box."""
    image = Image.new("L", (width, height), 0)
    image.paste(255, box)
    return png(image)


def png(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
