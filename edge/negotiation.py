"""What a request gets of what an address offers: format, width, quality; and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from imagepipe.urlspec import Hints, ImagePath, Transform, negotiate, resolve
from imagepipe.urlspec.hints import RATIO, SAVE_DATA, VIEWPORT, WIDTH
from imagepipe.urlspec.transform import TRANSPARENT


def _wsgi(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


_OF_HINTS: Final = (*WIDTH, *RATIO, *VIEWPORT)
#: Request headers (WSGI names) that may change the answer to a negotiated address.
NEGOTIATED: Final = ("HTTP_ACCEPT", _wsgi(SAVE_DATA), *map(_wsgi, _OF_HINTS))


@dataclass(frozen=True, slots=True)
class Choice:
    """What is delivered, with no hint left in the transform, and the answer's Vary."""

    transform: Transform
    extension: str
    vary: str
    moves: bool = False


def is_negotiated(path: str) -> bool:
    """Whether the answer to an address depends on the headers of the request."""
    return path.endswith(".auto") or "w_auto." in path


def read_hints(environ: Mapping[str, Any]) -> Hints:
    """The hints of a request; the newer name of a header wins."""
    width, ratio, viewport = (
        next((str(environ[name]) for name in map(_wsgi, names) if name in environ), "")
        for names in (WIDTH, RATIO, VIEWPORT)
    )
    return Hints.read(width, viewport, ratio, str(environ.get(_wsgi(SAVE_DATA), "")))


def choose(
    path: ImagePath,
    accept: str,
    hints: Hints,
    has_alpha: Callable[[], bool],
    moves: Callable[[Transform, str], bool],
) -> Choice:
    """Decide.

    `has_alpha` tells of the master, `moves` whether an animation may come out of a transform
    in this extension; they are asked only if that matters.
    """
    is_auto, is_hinted = path.extension == "auto", path.transform.hinted
    transform = resolve(path.transform, hints, may_save=is_auto or is_hinted)
    extension: str = path.extension
    is_moving = moves(transform, extension)
    if is_auto:
        is_clear = not is_moving and _shows_through(transform, has_alpha)
        extension = negotiate(accept, has_alpha=is_clear, moves=is_moving)
    vary = ["Accept"] * is_auto + [SAVE_DATA] * (is_auto or is_hinted)
    vary += list(_OF_HINTS) * is_hinted
    return Choice(transform, extension, ", ".join(vary), is_moving)


def _shows_through(transform: Transform, has_alpha: Callable[[], bool]) -> bool:
    if transform.background == TRANSPARENT and transform.fit == "pad":
        return True
    return transform.background in (None, TRANSPARENT) and has_alpha()
