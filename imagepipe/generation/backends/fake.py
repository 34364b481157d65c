"""A backend without a model: draws gradients and shapes from prompt and seed with Pillow.

Same request, same picture, on every machine with the same Pillow. For development, for
tests, and for trying the editor's part of the work without weights.
"""

from __future__ import annotations

import hashlib
import io
import random
import time

from PIL import Image, ImageDraw, ImageFilter

from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.environment import library_versions, platform_name
from imagepipe.generation.recipe import Environment
from imagepipe.generation.request import ModelReference, OnStep, Request, Result

COLOURS = {
    "red": (205, 52, 52),
    "orange": (240, 142, 54),
    "yellow": (248, 212, 84),
    "green": (78, 164, 84),
    "blue": (58, 122, 214),
    "purple": (138, 84, 188),
    "pink": (242, 152, 182),
    "teal": (46, 158, 158),
    "brown": (132, 92, 62),
    "gray": (150, 154, 160),
}
SHAPES = ("ellipse", "rectangle", "triangle", "ring")
SCHEDULERS = ("sketch", "outline")
SUPERSAMPLING = 2

Colour = tuple[int, int, int]


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
            reproducible=True,
            schedulers=SCHEDULERS,
            size_multiple=1,
            native_sizes=((512, 512), (768, 512), (512, 768)),
            supports_preview=True,
        )

    def generate(
        self, request: Request, model: ModelReference, on_step: OnStep | None = None
    ) -> Result:
        self.capabilities(model).check(request)
        started = time.monotonic()
        steps = request.steps
        canvas = _Canvas(request, model)
        if on_step:
            on_step(0, steps, None)
        for step in range(1, steps + 1):
            canvas.draw(step)
            if self._pause:
                time.sleep(self._pause)
            if on_step:
                on_step(step, steps, canvas.preview() if step % 5 == 0 else None)
        return Result(
            png=canvas.png(),
            width=request.width,
            height=request.height,
            seed=request.seed,
            seconds=time.monotonic() - started,
            environment=Environment(
                backend=self.name,
                backend_version=self.version,
                model_sha256=_digest(model.slug, model.location),
                scheduler=request.scheduler or SCHEDULERS[0],
                precision="uint8",
                device="cpu",
                platform=platform_name(),
                libraries=library_versions("Pillow"),
            ),
        )


class _Canvas:
    """A background and one shape per step, drawn larger and reduced for smooth edges."""

    def __init__(self, request: Request, model: ModelReference) -> None:
        self.size = (request.width, request.height)
        self.outline = request.scheduler == "outline"
        self._random = random.Random(  # noqa: S311 - repeatable pictures, no secrets
            _digest(
                request.prompt,
                request.negative_prompt,
                model.slug,
                str(request.seed),
                f"{request.guidance:g} {request.guidance_rescale:g}",
            )
        )
        self._palette = _palette(request)
        large = (request.width * SUPERSAMPLING, request.height * SUPERSAMPLING)
        self._picture = self._background(large)
        self._draw = ImageDraw.Draw(self._picture)

    def _background(self, size: tuple[int, int]) -> Image.Image:
        top = Image.new("RGB", size, self._shade(self._palette[0], 1.1))
        bottom = Image.new("RGB", size, self._shade(self._palette[0], 0.55))
        ramp = Image.linear_gradient("L").resize(size)
        return Image.composite(bottom, top, ramp)

    def _shade(self, colour: Colour, factor: float) -> Colour:
        red, green, blue = (
            max(0, min(255, round(part * factor) + self._random.randint(-8, 8)))
            for part in colour
        )
        return red, green, blue

    def draw(self, step: int) -> None:
        width, height = self._picture.size
        radius = max(2.0, min(width, height) * self._random.uniform(0.05, 0.32) / step**0.3)
        x, y = self._random.uniform(0, width), self._random.uniform(0, height)
        colour = self._shade(
            self._random.choice(self._palette[1:]), self._random.uniform(0.7, 1.3)
        )
        stretch = self._random.uniform(0.5, 1.5)
        box = (x - radius, y - radius * stretch, x + radius, y + radius * stretch)
        shape = self._random.choice(SHAPES)
        fill = None if self.outline or shape == "ring" else colour
        stroke = max(2, round(radius / 6))
        if shape == "rectangle":
            self._draw.rectangle(box, fill=fill, outline=colour, width=stroke)
        elif shape == "triangle":
            corners = ((x, box[1]), (box[2], box[3]), (box[0], box[3]))
            self._draw.polygon(corners, fill=fill, outline=colour, width=stroke)
        else:
            self._draw.ellipse(box, fill=fill, outline=colour, width=stroke)

    def preview(self) -> bytes:
        small = self._picture.copy()
        small.thumbnail((128, 128), Image.Resampling.BOX)
        output = io.BytesIO()
        small.save(output, "JPEG", quality=60)
        return output.getvalue()

    def png(self) -> bytes:
        softened = self._picture.filter(ImageFilter.GaussianBlur(0.5))
        output = io.BytesIO()
        softened.resize(self.size, Image.Resampling.BOX).save(output, "PNG")
        return output.getvalue()


def _palette(request: Request) -> list[Colour]:
    """Colours named in the prompt, the last one as background; negative ones never."""
    unwanted = set(request.negative_prompt.casefold().replace(",", " ").split())
    left = [name for name in COLOURS if name not in unwanted] or list(COLOURS)
    words = [word.strip(".,;:!") for word in request.prompt.casefold().split()]
    named = list(dict.fromkeys(word for word in reversed(words) if word in left))
    others = [name for name in left if name not in named]
    repeatable = random.Random(_digest(request.prompt, str(request.seed)))  # noqa: S311
    shuffled = repeatable.sample(others, len(others))
    return [COLOURS[name] for name in (named + shuffled)[:5]] * 2


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
