"""What is asked of a backend and what it answers: frozen values, the same for every engine.

The shape covers all modes (text, image, mask, control images, adapters, references);
a backend declares in its :class:`~imagepipe.generation.capabilities.Capabilities` which
of them it can do.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from PIL import Image

from imagepipe.generation.exceptions import InvalidRequest
from imagepipe.generation.recipe import Environment

MAX_SEED = 2**63 - 1
MAX_SIDE = 16_384
MAX_STEPS = 1_000
MAX_PROMPT_CHARACTERS = 20_000
MAX_FEATHER = 512
MAX_CONTROLS = 8
MAX_ADAPTERS = 16
MAX_REFERENCES = 8
MAX_WEIGHT = 10.0
ADAPTER_KINDS = ("lora", "textual-inversion")
CONTROL_KINDS = ("canny", "openpose", "depth", "softedge")
"""Kinds of control pictures that are known by name; a backend declares which it takes."""


class Mode(StrEnum):
    """Kinds of generation."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    INPAINT = "inpaint"
    OUTPAINT = "outpaint"


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Which weights to use: a folder, or a hub id such as ``"owner/name"``.

    ``sha256`` is the expected content hash; a backend refuses other content. Empty: any.
    """

    slug: str
    location: str = ""
    family: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """A guiding picture for ControlNet: the drawn edges, skeleton or depths themselves.

    ``kind`` is usually one of :data:`CONTROL_KINDS`; ``start`` and ``end`` are shares of the
    steps (0–1). The picture is scaled to fill the result's size.
    """

    kind: str
    image: bytes = field(repr=False)
    model: ModelReference
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        _weight("The weight of a control picture", self.weight)
        _number("The start of a control picture", self.start, 0, 1)
        _number("The end of a control picture", self.end, 0, 1)
        if self.start >= self.end:
            raise InvalidRequest("A control picture has to end after its start.")


@dataclass(frozen=True, slots=True)
class Adapter:
    """Weights added to the model; ``kind`` is one of :data:`ADAPTER_KINDS`.

    ``token`` is the word that stands for a textual inversion in the prompt; empty: the name
    in its file. An embedding has no weight. ``sha256`` as in :class:`ModelReference`.
    """

    slug: str
    location: str
    kind: str = "lora"
    weight: float = 1.0
    sha256: str = ""
    token: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ADAPTER_KINDS:
            raise InvalidRequest(f"“{self.kind}” is not a kind of adapter.")
        _weight("The weight of an adapter", self.weight)


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture whose style or subject is to be followed.

    ``model`` are the weights that read it (IP-Adapter), where a backend needs some.
    """

    image: bytes = field(repr=False)
    weight: float = 1.0
    model: ModelReference | None = None

    def __post_init__(self) -> None:
        _weight("The weight of a reference picture", self.weight)


@dataclass(frozen=True, slots=True)
class Request:
    """One picture to make. Sizes are pixels of the result; ``strength`` is 0–1.

    ``init_image`` is what image-to-image starts from (scaled to fill the size), what is
    inpainted (of exactly the size) or what is put on a larger canvas. In ``mask`` white is
    repainted, black kept; in outpainting it adds to the new room. ``feather`` pixels beyond
    the mask fade over to the source; every pixel farther out stays exactly as it was.
    ``offset`` is where the picture's top left corner lies on the canvas of outpainting;
    None: in the middle.

    Raises :class:`InvalidRequest` for values that no backend could follow.
    """

    prompt: str
    model: str
    seed: int
    width: int
    height: int
    negative_prompt: str = ""
    steps: int = 25
    guidance: float = 7.5
    guidance_rescale: float = 0.0
    scheduler: str | None = None
    mode: Mode = Mode.TEXT_TO_IMAGE
    init_image: bytes | None = field(default=None, repr=False)
    mask: bytes | None = field(default=None, repr=False)
    strength: float = 1.0
    controls: tuple[Control, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    references: tuple[Reference, ...] = ()
    feather: int = 8
    offset: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "mode", Mode(self.mode))
        except ValueError:
            raise InvalidRequest(f"“{self.mode}” is not a kind of generation.") from None
        _whole("The seed", self.seed, 0, MAX_SEED)
        _whole("The width", self.width, 1, MAX_SIDE)
        _whole("The height", self.height, 1, MAX_SIDE)
        _whole("The number of steps", self.steps, 1, MAX_STEPS)
        _number("The guidance", self.guidance, 0, 100)
        _number("The guidance rescale", self.guidance_rescale, 0, 1)
        _number("The strength", self.strength, 0, 1)
        _whole("The feather", self.feather, 0, MAX_FEATHER)
        _text("The prompt", self.prompt)
        _text("The negative prompt", self.negative_prompt)
        if not self.prompt.strip() and self.mode is Mode.TEXT_TO_IMAGE:
            raise InvalidRequest("The prompt is empty. Say what the picture shall show.")
        if self.mode is not Mode.TEXT_TO_IMAGE and self.init_image is None:
            raise InvalidRequest(f"The mode {self.mode} needs a picture to start from.")
        if self.mode is Mode.INPAINT and self.mask is None:
            raise InvalidRequest("Inpainting needs a mask.")
        if self.offset is not None:
            object.__setattr__(self, "offset", _offset(self.offset))
        _few("control pictures", self.controls, MAX_CONTROLS)
        _few("adapters", self.adapters, MAX_ADAPTERS)
        _few("reference pictures", self.references, MAX_REFERENCES)


@dataclass(frozen=True, slots=True)
class Result:
    """One finished picture: PNG bytes in sRGB, and the facts needed to make it again.

    ``warnings`` are sentences about what the backend could not honour exactly, for example
    a prompt that is longer than the model can read. ``contents`` gives the content hash of
    everything that was loaded beside the model, by its location.
    """

    png: bytes = field(repr=False)
    width: int
    height: int
    seed: int
    seconds: float
    environment: Environment
    warnings: tuple[str, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)

    def image(self) -> Image.Image:
        """Return the decoded picture."""
        image = Image.open(io.BytesIO(self.png), formats=("PNG",))
        image.load()
        return image


class OnStep(Protocol):
    """Called with ``step`` 0 before work begins and then after each of ``steps`` steps.

    ``preview`` is a small JPEG or None. ``steps`` may be corrected once after step 0
    (some schedulers walk more steps than asked). Where nothing happens for a while the last
    step may be told again, so that there is a chance to stop. Raise
    :class:`~imagepipe.generation.exceptions.Cancelled` to stop; it reaches the caller of
    ``generate`` unchanged, and the backend stays usable.
    """

    def __call__(self, step: int, steps: int, preview: bytes | None) -> None: ...


def _whole(name: str, value: object, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidRequest(f"{name} must be a whole number from {lowest} to {highest}.")


def _number(name: str, value: object, lowest: float, highest: float) -> None:
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not lowest <= value <= highest
    ):
        raise InvalidRequest(f"{name} must be a number from {lowest} to {highest}.")


def _weight(name: str, value: object) -> None:
    _number(name, value, -MAX_WEIGHT, MAX_WEIGHT)


def _offset(value: object) -> tuple[int, int]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise InvalidRequest("The offset must be two whole numbers.")
    for number in value:
        _whole("The offset", number, 0, MAX_SIDE)
    return value[0], value[1]


def _few(name: str, values: tuple[object, ...], most: int) -> None:
    if len(values) > most:
        raise InvalidRequest(f"{len(values)} {name} are too many; at most {most} are possible.")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be text.")
    if len(value) > MAX_PROMPT_CHARACTERS:
        raise InvalidRequest(
            f"{name} has {len(value)} characters; at most {MAX_PROMPT_CHARACTERS} are possible."
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidRequest(f"{name} contains broken characters. Type it again.")
