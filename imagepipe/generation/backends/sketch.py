"""The drawings of the fake backend: gradients and shapes, steered like a real model.

Colours come from the prompt, from reference pictures and from adapters; control pictures
are traced; a start picture shines through. All from prompt and seed, with Pillow alone.
"""

from __future__ import annotations

import hashlib
import io
import random

from PIL import Image, ImageDraw, ImageFilter

from imagepipe.generation.preparation import Prepared
from imagepipe.generation.request import Control, ModelReference, Request

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
SUPERSAMPLING = 2

Colour = tuple[int, int, int]


class Sketch:
    """A background and one shape per step, drawn larger and reduced for smooth edges."""

    def __init__(self, request: Request, model: ModelReference, prepared: Prepared) -> None:
        self.size = (request.width, request.height)
        self.outline = request.scheduler == "outline"
        self._random = random.Random(  # noqa: S311 - repeatable pictures, no secrets
            digest(
                request.prompt,
                request.negative_prompt,
                model.slug,
                str(request.seed),
                f"{request.guidance:g} {request.guidance_rescale:g}",
            )
        )
        self._palette = _palette(request, prepared.references)
        self._start, self._strength = prepared.start, request.strength
        self._traces = [
            (picture, c.weight, _steps(c, request.steps))
            for c, picture in zip(request.controls, prepared.controls, strict=True)
        ]
        self._traced: set[int] = set()
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
        self._traced |= {i for i, (_, _, steps) in enumerate(self._traces) if step in steps}
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
        small = self.picture()
        small.thumbnail((128, 128), Image.Resampling.BOX)
        output = io.BytesIO()
        small.save(output, "JPEG", quality=60)
        return output.getvalue()

    def picture(self) -> Image.Image:
        """Return what is drawn so far, at the asked size."""
        softened = self._picture.filter(ImageFilter.GaussianBlur(0.5))
        picture = softened.resize(self.size, Image.Resampling.BOX)
        if self._start is not None:
            picture = Image.blend(self._start, picture, self._strength)
        for index in sorted(self._traced):
            control, weight, _ = self._traces[index]
            lines = control.convert("L").point(lambda v, w=weight: round(v * min(1, abs(w))))
            ink = Image.new("RGB", self.size, (250, 250, 250) if weight > 0 else (5, 5, 5))
            picture = Image.composite(ink, picture, lines)
        return picture


def _palette(request: Request, references: tuple[Image.Image, ...]) -> list[Colour]:
    """Colours of references, then those named in the prompt, the last one as background.

    Negative ones never; each adapter pulls all towards a colour of its own.
    """
    unwanted = set(request.negative_prompt.casefold().replace(",", " ").split())
    left = [name for name in COLOURS if name not in unwanted] or list(COLOURS)
    words = [word.strip(".,;:!") for word in request.prompt.casefold().split()]
    named = list(dict.fromkeys(word for word in reversed(words) if word in left))
    others = [name for name in left if name not in named]
    repeatable = random.Random(digest(request.prompt, str(request.seed)))  # noqa: S311
    shuffled = repeatable.sample(others, len(others))
    colours = [COLOURS[name] for name in (named + shuffled)[:5]] * 2
    for reference, picture in zip(request.references, references, strict=True):
        parts = picture.resize((2, 1), Image.Resampling.BOX).tobytes()
        for place in range(2):
            red, green, blue = parts[3 * place : 3 * place + 3]
            colours[place] = _mix(colours[place], (red, green, blue), reference.weight)
    for adapter in request.adapters:
        if adapter.kind == "lora" or (adapter.token or adapter.slug) in request.prompt:
            own = COLOURS[list(COLOURS)[int(digest(adapter.slug)[:8], 16) % len(COLOURS)]]
            colours = [_mix(colour, own, adapter.weight / 2) for colour in colours]
    return colours


def _steps(control: Control, steps: int) -> range:
    """Return the steps in which a control picture is traced."""
    return range(1 + int(control.start * steps), 1 + round(control.end * steps))


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    share = max(0.0, min(1.0, share))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
