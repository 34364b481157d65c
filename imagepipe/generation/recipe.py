"""``Recipe``: everything needed to make exactly this picture again.

The canonical JSON of a recipe is its identity: its SHA-256 is stored with the picture and
written into its content credentials. Schema changes raise ``SCHEMA``; old documents stay
readable by their number.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

from imagepipe.generation.canonical import canonical_json, parse_json
from imagepipe.generation.decoding import Parameters, decode, encode
from imagepipe.generation.exceptions import InvalidRecipe

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The weights: ``sha256`` covers all weight and configuration files."""

    slug: str
    location: str
    sha256: str
    family: str = ""


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """One adapter, embedding, control model or reference, with its parameters."""

    kind: str
    slug: str
    sha256: str
    weight: float = 1.0
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """The prompt template and the values of its variables."""

    slug: str
    version: str
    variables: Parameters = ()


@dataclass(frozen=True, slots=True)
class PostProductionFacts:
    """One step after generation, in the order in which it ran."""

    step: str
    version: str
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and with what a picture was computed.

    ``threads`` matters: more threads may sum in another order and change the last bits.
    """

    backend: str
    backend_version: str
    model_sha256: str = ""
    scheduler: str = ""
    precision: str = ""
    device: str = ""
    hardware: str = ""
    platform: str = ""
    threads: int = 1
    libraries: Parameters = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Frozen, hashable, with one canonical text. Sizes are pixels of the raw picture."""

    prompt: str
    seed: int
    width: int
    height: int
    steps: int
    guidance: float
    model: ModelFacts
    environment: Environment
    mode: str = "text-to-image"
    negative_prompt: str = ""
    guidance_rescale: float = 0.0
    strength: float = 1.0
    adapters: tuple[AdapterFacts, ...] = ()
    sources: tuple[str, ...] = ()
    """SHA-256 of the pictures that went in: start picture, mask, in this order."""
    template: TemplateFacts | None = None
    postproduction: tuple[PostProductionFacts, ...] = ()
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        numbers = (self.guidance, self.guidance_rescale, self.strength)
        if not all(math.isfinite(number) for number in numbers):
            raise InvalidRecipe("Numbers in a recipe must be finite.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return encode(self)

    def canonical(self) -> bytes:
        """Return the canonical JSON; see :mod:`imagepipe.generation.canonical`."""
        try:
            return canonical_json(self.to_dict())
        except ValueError as error:
            raise InvalidRecipe(f"The recipe has no canonical form: {error}") from error

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical JSON: the identity of the recipe."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """Return the recipe from untrusted data. Raises :class:`InvalidRecipe`."""
        schema = data.get("schema") if isinstance(data, dict) else None
        if isinstance(data, dict) and (schema != SCHEMA or isinstance(schema, bool)):
            raise InvalidRecipe(
                f"Recipes of schema {str(schema)[:20]} cannot be read; "
                f"this version reads {SCHEMA}."
            )
        try:
            return decode(cls, data)
        except ValueError as error:
            raise InvalidRecipe(f"This is not a recipe. {error}") from error

    @classmethod
    def from_json(cls, data: bytes | str) -> Recipe:
        """Return the recipe from untrusted JSON. Raises :class:`InvalidRecipe`."""
        try:
            document = parse_json(data)
        except ValueError as error:
            raise InvalidRecipe(f"This is not a recipe. {error}") from error
        return cls.from_dict(document)
