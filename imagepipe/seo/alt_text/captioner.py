"""The seam: what makes words of a picture. Two ship; others register in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from imagepipe.seo.alt_text.facts import Facts


@dataclass(frozen=True, slots=True)
class Words:
    """Some words of a suggestion; ``source`` is a key of :data:`~.facts.SOURCES`."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Caption:
    """A text in one language, or why there is none.

    ``text`` is at most 250 characters, without a full stop. ``is_weak``: only a beginning,
    which says too little of the picture to stand alone.
    """

    text: str
    words: tuple[Words, ...] = ()
    is_weak: bool = False
    reason: str = ""
    """Stable code where there is no text: ``no-grammar``, ``no-facts``, ``other-language``."""


class Captioner(Protocol):
    """One way to describe pictures. Made anew for each run, in the worker."""

    slug: str

    @property
    def identity(self) -> str:
        """Changes whenever the same facts and pixels would give other words."""

    def caption(self, content: bytes, facts: Facts, language: str) -> Caption:
        """Describe the picture whose master is ``content``. Raises an ``ImagepipeError``."""


Factory = Callable[[], Captioner | None]
"""Returns None where it cannot work here, as without its model."""
_factories: dict[str, Factory] = {}


def register(slug: str, factory: Factory) -> None:
    """Make a captioner known; a later registration replaces an earlier one."""
    _factories[slug] = factory


def captioners() -> list[Captioner]:
    """Everything that can describe pictures here, the composed sentences first."""
    _register_built_in()
    made = (factory() for factory in _factories.values())
    return [captioner for captioner in made if captioner is not None]


def _register_built_in() -> None:
    from imagepipe.seo.alt_text import composed, image_to_text

    _factories.setdefault(composed.SLUG, composed.build)
    _factories.setdefault(image_to_text.SLUG, image_to_text.build)
