"""The transform value: what should happen to a master before it is delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from imagepipe.urlspec.exceptions import InvalidTransform

Fit = Literal["fit", "fill", "pad", "crop"]
Gravity = Literal[
    "center",
    "north",
    "northeast",
    "east",
    "southeast",
    "south",
    "southwest",
    "west",
    "northwest",
    "focal",
    "attention",
]

FITS: Final[tuple[str, ...]] = get_args(Fit)
GRAVITIES: Final[tuple[str, ...]] = get_args(Gravity)

#: Largest width or height that can be asked for, in pixels.
MAX_DIMENSION: Final = 8192
#: Crop regions are given in these parts of the source's width and height.
REGION_SCALE: Final = 10_000
#: Shortest side of a crop region, in the same parts (one per cent).
MIN_REGION: Final = 100

_HEX_COLOR = re.compile(r"[0-9a-f]{6}")

Region = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Transform:
    """One rendition's geometry and encoding wishes; every instance is valid.

    `width` and `height` are output pixels (the device pixel ratio is already applied), 1 to
    `MAX_DIMENSION`. `fit`: "fit" stays inside the box, "fill" covers it and cuts what is over,
    "pad" fits and fills up with `background`, "crop" cuts a box of that size without scaling.
    Nothing is enlarged unless `upscale`: "fill" then keeps the box's ratio at the largest size
    the source has. `gravity` says which part "fill" and "crop" keep and where "pad" puts the
    picture; "focal" is the point known for the picture, "attention" is found in the pixels.
    `crop` (x, y, width, height in 1/10000 of the source) is cut out before anything else.
    `quality` (1 to 100) overrides the encoder's default; `background` is six hex digits and is
    also what transparency is flattened onto where the format has none.
    Raises InvalidTransform.
    """

    width: int | None = None
    height: int | None = None
    fit: Fit = "fit"
    gravity: Gravity = "center"
    crop: Region | None = None
    quality: int | None = None
    background: str | None = None
    upscale: bool = False

    def __post_init__(self) -> None:
        _check_side("width", self.width)
        _check_side("height", self.height)
        if self.fit not in FITS:
            raise InvalidTransform(f"fit must be one of {', '.join(FITS)}")
        if self.gravity not in GRAVITIES:
            raise InvalidTransform(f"gravity must be one of {', '.join(GRAVITIES)}")
        if self.fit == "fit":
            if self.gravity != "center":
                raise InvalidTransform("gravity needs fill, pad or crop")
        else:
            _ = self.box
        if self.fit == "pad" and self.gravity in ("focal", "attention"):
            raise InvalidTransform(
                "pad cuts nothing, so its gravity must be a compass direction"
            )
        if self.upscale and (self.fit == "crop" or (self.width, self.height) == (None, None)):
            raise InvalidTransform("upscale needs a size to scale to")
        if self.crop is not None:
            _check_region(self.crop)
        if self.quality is not None and not (
            _is_int(self.quality) and 1 <= self.quality <= 100
        ):
            raise InvalidTransform("quality must be 1 to 100")
        if self.background is not None and not _HEX_COLOR.fullmatch(self.background):
            raise InvalidTransform("background must be six lower-case hex digits")

    @property
    def box(self) -> tuple[int, int]:
        """Width and height where both are given. Raises InvalidTransform where not."""
        if self.width is None or self.height is None:
            raise InvalidTransform(f"{self.fit} needs a width and a height")
        return self.width, self.height


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_side(name: str, value: int | None) -> None:
    if value is not None and not (_is_int(value) and 1 <= value <= MAX_DIMENSION):
        raise InvalidTransform(f"{name} must be 1 to {MAX_DIMENSION} pixels")


def _check_region(region: Region) -> None:
    if not isinstance(region, tuple) or len(region) != 4 or not all(map(_is_int, region)):
        raise InvalidTransform("the crop region needs four whole numbers")
    left, top, width, height = region
    if left < 0 or top < 0 or width < MIN_REGION or height < MIN_REGION:
        raise InvalidTransform(f"the crop region must be at least {MIN_REGION}/10000 on a side")
    if left + width > REGION_SCALE or top + height > REGION_SCALE:
        raise InvalidTransform("the crop region leaves the picture")
    if region == (0, 0, REGION_SCALE, REGION_SCALE):
        raise InvalidTransform("a crop region that is the whole picture must be left out")
