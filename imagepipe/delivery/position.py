"""Which picture of a page loads at once: the one that was asked for, or else the first."""

from __future__ import annotations

from imagepipe.delivery.shown import Context, ShownPicture
from imagepipe.urlspec import Preset

LEAST_WIDTH = 400
"""Pixels. Logos and thumbnails are narrower, two pixels per CSS pixel counted."""
_FOUND = "_imagepipe_first_picture"


def loads_at_once(
    context: Context, picture: ShownPicture, preset: Preset, said: bool | None
) -> bool:
    """What the template has ``said``; else yes for the first large picture of a request.

    Lazy loading of what is seen first makes it appear later:
    https://web.dev/articles/lcp-lazy-loading
    """
    request = context.get("request")
    if said is None:
        source = picture.document or {"width": getattr(picture.image, "width", 0)}
        is_large = min(source["width"], max(preset.widths)) >= LEAST_WIDTH
        said = is_large and request is not None and _FOUND not in request.__dict__
    if said and request is not None:
        request.__dict__[_FOUND] = True
    return bool(said)
