"""The delivered formats, and choosing one from an Accept header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Extension = Literal["avif", "webp", "jpg", "png", "gif"]


@dataclass(frozen=True, slots=True)
class Format:
    """One delivered format: its file extension, what others call it, what it can hold."""

    extension: Extension
    mime: str
    pillow: str
    vips_suffix: str
    has_alpha: bool
    moves: bool = False


FORMATS: Final[dict[str, Format]] = {
    "avif": Format("avif", "image/avif", "AVIF", ".avif", has_alpha=True),
    "webp": Format("webp", "image/webp", "WEBP", ".webp", has_alpha=True, moves=True),
    "jpg": Format("jpg", "image/jpeg", "JPEG", ".jpg", has_alpha=False),
    "png": Format("png", "image/png", "PNG", ".png", has_alpha=True),
    "gif": Format("gif", "image/gif", "GIF", ".gif", has_alpha=True, moves=True),
}
MIME_TYPES: Final[dict[str, str]] = {key: value.mime for key, value in FORMATS.items()}
#: What a path may end in: "auto" lets the browser's Accept header decide.
EXTENSIONS: Final[tuple[str, ...]] = ("auto", *FORMATS)

_MAX_ACCEPT = 1000
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def negotiate(accept: str, *, has_alpha: bool = False, moves: bool = False) -> Extension:
    """The format to send for an Accept header (RFC 9110, section 12.5.1).

    AVIF and WebP must be named: wildcards are sent by clients that can read neither. The
    highest q-value wins, then AVIF before WebP before the fallback, which is JPEG, or PNG for
    a picture with transparency; it is also sent when nothing matches. A picture that `moves`
    is WebP where that is named, else GIF.
    """
    weights = weigh(accept)
    if moves:
        named = weights.get(MIME_TYPES["webp"], 0.0)
        return "webp" if named > 0.0 and named >= weights.get(MIME_TYPES["gif"], 0.0) else "gif"
    fallback: Extension = "png" if has_alpha else "jpg"
    general = weights.get("image/*", weights.get("*/*", 0.0))
    best, best_weight = fallback, weights.get(MIME_TYPES[fallback], general)
    for extension in ("webp", "avif"):
        weight = weights.get(MIME_TYPES[extension], 0.0)
        if weight > 0.0 and weight >= best_weight:
            best, best_weight = FORMATS[extension].extension, weight
    return best


def weigh(accept: str) -> dict[str, float]:
    """Media range to q-value; ranges with a malformed q-value are passed over."""
    weights: dict[str, float] = {}
    for item in accept[:_MAX_ACCEPT].split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = float(value) if _QUALITY.fullmatch(value.strip()) else -1.0
        if name and weight >= 0.0:
            weights[name] = weight
    return weights
