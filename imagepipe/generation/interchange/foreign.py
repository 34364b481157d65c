"""``ForeignRecipe``: what could be understood of another tool's recipe, and what could not."""

from __future__ import annotations

from dataclasses import dataclass

from imagepipe.exceptions import ImagepipeError

MAX_PROMPT = 20_000
MAX_NAME = 200
MAX_VALUE = 300
MAX_LEFT_OVER = 100
MAX_ADDITIONS = 32


class UnreadableRecipe(ImagepipeError):
    """A file or text holds no recipe of a known tool, or is not readable; says why."""

    code = "unreadable-recipe"


@dataclass(frozen=True, slots=True)
class Addition:
    """Weights or a picture used beside the model: ``kind`` is lora, embedding, control, …"""

    kind: str
    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ForeignRecipe:
    """Values in our own terms; None or empty: the file does not say.

    ``sampler`` is the other tool's name, ``scheduler`` the class that does the same here (None:
    none is known). ``model_hash`` may be the beginning of a hash. ``left_over`` are names and
    values that were read and have no meaning here, shortened for display.
    """

    tool: str
    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    guidance_rescale: float | None = None
    strength: float | None = None
    sampler: str = ""
    scheduler: str | None = None
    model_name: str = ""
    model_hash: str = ""
    additions: tuple[Addition, ...] = ()
    left_over: tuple[tuple[str, str], ...] = ()
