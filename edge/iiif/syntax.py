"""What an image request says, read but not yet applied to a picture (section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from edge.exceptions import BadRequest

Quality = Literal["default", "gray", "bitonal"]
#: "color" is what the service delivers by default.
QUALITIES: Final[dict[str, Quality]] = {
    "default": "default",
    "color": "default",
    "gray": "gray",
    "bitonal": "bitonal",
}
FORMATS: Final = ("jpg", "png", "webp")
SQUARE: Final = "square"
FULL: Final = "full"

_WHOLE = r"[0-9]{1,9}"
_DECIMAL = r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})"
_PIXELS = re.compile(rf"({_WHOLE}),({_WHOLE}),({_WHOLE}),({_WHOLE})")
_SHARES = re.compile(rf"pct:({_DECIMAL}),({_DECIMAL}),({_DECIMAL}),({_DECIMAL})")
_SIZE = re.compile(
    rf"(?P<up>\^?)(?:(?P<max>max)|pct:(?P<share>{_DECIMAL})"
    rf"|(?P<inside>!?)(?P<width>{_WHOLE})?,(?P<height>{_WHOLE})?)"
)
_ROTATION = re.compile(rf"(?P<mirror>!?)(?P<degrees>{_DECIMAL})")


@dataclass(frozen=True, slots=True)
class Region:
    """The whole picture, its square, or x, y, width and height in pixels or in per cent."""

    kind: Literal["full", "square", "pixels", "percent"]
    numbers: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the scaled region; `enlarges` is the `^` in front.

    "inside" keeps the ratio within both sides, "exact" keeps nothing; with one side given the
    other follows. `share` is in per cent.
    """

    kind: Literal["max", "percent", "exact", "inside"]
    width: int | None = None
    height: int | None = None
    share: Fraction = Fraction(100)
    enlarges: bool = False


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image request. `rotation` is 0, 90, 180 or 270 degrees clockwise."""

    region: Region
    size: Size
    rotation: int
    mirrored: bool
    quality: Quality
    extension: str

    @property
    def is_plain(self) -> bool:
        """Neither turned nor toned."""
        return not self.rotation and not self.mirrored and self.quality == "default"


def parse(region: str, size: str, rotation: str, name: str) -> ImageRequest:
    """Read the four last parts of an address. Raises BadRequest (400), naming the part."""
    degrees, mirrored = parse_rotation(rotation)
    quality, _dot, extension = name.rpartition(".")
    if quality not in QUALITIES:
        raise BadRequest(400, "quality", f"the quality is one of {', '.join(QUALITIES)}")
    if extension not in FORMATS:
        raise BadRequest(400, "format", f"the format is one of {', '.join(FORMATS)}")
    return ImageRequest(
        parse_region(region),
        parse_size(size),
        degrees,
        mirrored,
        QUALITIES[quality],
        extension,
    )


def parse_region(text: str) -> Region:
    """Raises BadRequest (400)."""
    if text == FULL:
        return Region("full")
    if text == SQUARE:
        return Region("square")
    match = _PIXELS.fullmatch(text)
    if match is not None:
        return Region("pixels", tuple(map(Fraction, match.groups())))
    match = _SHARES.fullmatch(text)
    if match is None:
        raise BadRequest(
            400, "region", "the region is full, square, x,y,w,h or pct:x,y,w,h"
        )
    return Region("percent", tuple(map(Fraction, match.groups())))


def parse_size(text: str) -> Size:
    """Raises BadRequest (400)."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise _no_size()
    enlarges = bool(match["up"])
    if match["max"]:
        return Size("max", enlarges=enlarges)
    if match["share"]:
        share = Fraction(match["share"])
        if share > 100 and not enlarges:
            raise BadRequest(400, "size", "more than 100 per cent needs ^ in front")
        return Size("percent", share=share, enlarges=enlarges)
    width, height = (
        None if match[side] is None else int(match[side]) for side in ("width", "height")
    )
    if width is None and height is None:
        raise _no_size()
    if match["inside"]:
        if width is None or height is None:
            raise _no_size()
        return Size("inside", width, height, enlarges=enlarges)
    return Size("exact", width, height, enlarges=enlarges)


def parse_rotation(text: str) -> tuple[int, bool]:
    """Degrees and whether the picture is mirrored first. Raises BadRequest (400)."""
    match = _ROTATION.fullmatch(text)
    if match is None:
        raise BadRequest(400, "rotation", "the rotation is degrees, perhaps after !")
    degrees = Fraction(match["degrees"])
    if degrees > 360 or degrees % 90:
        raise BadRequest(400, "rotation", "the rotation is 0, 90, 180 or 270 degrees")
    return int(degrees) % 360, bool(match["mirror"])


def _no_size() -> BadRequest:
    return BadRequest(
        400, "size", "the size is max, w, or ,h or pct:n or w,h or !w,h, perhaps after ^"
    )
