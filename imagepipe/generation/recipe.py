"""``Recipe``: everything needed to make exactly this picture again.

The canonical JSON of a recipe is its identity: its SHA-256 is stored with the picture and
written into its content credentials. Schema changes raise ``SCHEMA``; old documents stay
readable by their number.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imagepipe.generation.canonical import canonical_json, parse_json
from imagepipe.generation.decoding import Parameters, decode, encode
from imagepipe.generation.exceptions import InvalidRecipe

SCHEMA = 2
ADDED: dict[str, tuple[int, Any]] = {
    "feather": (2, 0),
    "offset": (2, []),
    "picture_sha256": (2, ""),
    "warnings": (2, []),
    "environment.settings": (2, {}),
}
"""Fields that older documents do not have: since which schema, and what their absence means."""


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
    settings: Parameters = ()
    """What else may change bits: attention, offload."""


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
    feather: int = 0
    """Pixels of the soft edge of an inpainted or outpainted area."""
    offset: tuple[int, ...] = ()
    """Where the start picture lies on the canvas of outpainting; empty: in the middle."""
    warnings: tuple[str, ...] = ()
    """What the backend could not honour exactly."""
    picture_sha256: str = ""
    """SHA-256 of the raw picture as the backend gave it: what a replay is compared with."""
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        numbers = (self.guidance, self.guidance_rescale, self.strength)
        if not all(math.isfinite(number) for number in numbers):
            raise InvalidRecipe("Numbers in a recipe must be finite.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, in the shape of the recipe's own schema."""
        document = encode(self)
        for place, key, (since, _absent) in _places(document):
            if self.schema < since:
                del place[key]
        return document

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
        if isinstance(data, dict):
            if type(schema) is not int or not 1 <= schema <= SCHEMA:
                raise InvalidRecipe(
                    f"Recipes of schema {str(schema)[:20]} cannot be read; "
                    f"this version reads 1 to {SCHEMA}."
                )
            data = _completed(data, schema)
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


def _completed(data: dict[str, Any], schema: int) -> dict[str, Any]:
    """Return a document with the fields that its schema did not have yet."""
    data = {key: dict(part) if isinstance(part, dict) else part for key, part in data.items()}
    for place, key, (since, absent) in _places(data):
        if schema >= since:
            continue
        if key in place:
            raise InvalidRecipe(f"This is not a recipe. Schema {schema} has no “{key}”.")
        place[key] = absent
    return data


def _places(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, tuple[int, Any]]]:
    """Yield the object that holds each later field, its key and its history."""
    for path, history in ADDED.items():
        parent, _, key = path.rpartition(".")
        place = document.get(parent) if parent else document
        if isinstance(place, dict):
            yield place, key, history
