"""What differs between two environments, the likeliest cause of other pixels first."""

from __future__ import annotations

from dataclasses import dataclass

from imagepipe.generation.decoding import Scalar
from imagepipe.generation.recipe import Environment

FACTS = (
    ("weights", "model_sha256"),
    ("backend", "backend"),
    ("scheduler", "scheduler"),
    ("precision", "precision"),
    ("device", "device"),
    ("hardware", "hardware"),
    ("platform", "platform"),
    ("threads", "threads"),
    ("backend-version", "backend_version"),
)
"""Code of a difference and the field of the environment, the likeliest cause first."""
NUMERIC_LIBRARIES = ("torch", "diffusers", "transformers", "numpy")
"""Libraries whose versions are known to change pixels; of others it is unlikely."""


@dataclass(frozen=True, slots=True)
class Difference:
    """``code`` is one of :data:`FACTS`, or ``library`` or ``setting`` with its ``name``.

    ``then`` and ``now`` are as recorded; None: it was not there.
    """

    code: str
    then: Scalar
    now: Scalar
    name: str = ""


def differences(then: Environment, now: Environment) -> tuple[Difference, ...]:
    """Return all facts that the two environments do not share."""
    found = [
        Difference(code, getattr(then, field), getattr(now, field))
        for code, field in FACTS
        if getattr(then, field) != getattr(now, field)
    ]
    settings = _named("setting", then.settings, now.settings)
    return (*found, *settings, *_named("library", then.libraries, now.libraries))


def _named(
    code: str, then: tuple[tuple[str, Scalar], ...], now: tuple[tuple[str, Scalar], ...]
) -> list[Difference]:
    old, new = dict(then), dict(now)
    names = sorted(old.keys() | new.keys())
    changed = [name for name in names if old.get(name) != new.get(name)]
    ranks = {name: rank for rank, name in enumerate(NUMERIC_LIBRARIES)}
    changed.sort(key=lambda name: ranks.get(name, len(ranks)))
    return [Difference(code, old.get(name), new.get(name), name) for name in changed]
