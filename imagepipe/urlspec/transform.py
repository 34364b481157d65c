"""The transform value: what should happen to a master before it is delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from imagepipe.urlspec.exceptions import InvalidTransform

Fit = Literal["fit", "fill", "pad", "crop"]
Profile = Literal["srgb", "p3"]
Compass = Literal[
    "center",
    "north",
    "northeast",
    "east",
    "southeast",
    "south",
    "southwest",
    "west",
    "northwest",
]
Known = Literal["faces", "subject", "focal"]

FITS: Final[tuple[str, ...]] = get_args(Fit)
COMPASS: Final[tuple[str, ...]] = get_args(Compass)
#: What may be known of a picture; where it is not, the next part of a gravity counts.
KNOWN: Final[tuple[str, ...]] = get_args(Known)
#: What one part of a gravity may be.
GRAVITIES: Final[tuple[str, ...]] = (*COMPASS, *KNOWN, "attention")
PROFILES: Final[tuple[str, ...]] = get_args(Profile)
#: The background that shows nothing, where the format can.
TRANSPARENT: Final = "none"

#: Largest width or height that can be asked for, in pixels.
MAX_DIMENSION: Final = 8192
#: Highest number of a frame.
MOST_FRAMES: Final = 9999
#: Crop regions are given in these parts of the source's width and height.
REGION_SCALE: Final = 10_000
#: Shortest side of a crop region, in the same parts (one per cent).
MIN_REGION: Final = 100

_HEX_COLOR = re.compile(r"[0-9a-f]{6}")
_CROP_NAME = re.compile(r"(?=[0-9]*[a-z-])[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")

Region = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Transform:
    """One rendition's geometry and encoding wishes; every instance is valid.

    `width` and `height` are output pixels (the device pixel ratio is already applied), 1 to
    `MAX_DIMENSION`. With `hinted` the browser's hints may choose another width of the ladder;
    the height follows. `fit`: "fit" stays inside the box, "fill" covers it and cuts what is
    over, "pad" fits and fills up with `background`, "crop" cuts a box of that size without
    scaling. Nothing is enlarged unless `upscale`: "fill" then keeps the box's ratio at the
    largest size the source has.

    `gravity` says which part "fill" and "crop" keep and where "pad" puts the picture. Its
    parts, joined by hyphens, are tried in order: "faces", "subject" and "focal" count where
    they are known for the picture, and later ones are kept in view too if there is room; a
    direction or "attention" (found in the pixels) ends it, else the centre does.

    `crop` is cut out before anything else: x, y, width, height in 1/10000 of the source, or
    the name of a crop that the picture has; a picture without it is not cut. `quality` (1 to
    100) overrides the encoder's own choice; `background` is six hex digits or "none", and is
    also what transparency is flattened onto where the format has none. `blur` is the Gaussian
    radius in 1/1000 of the longer output side, `sharpen` a strength (1 to 100) that counts
    the more, the more the picture is reduced. `profile` is the colour space delivered. `frame`
    makes a still of one frame of an animation, from 1 on; after the last one counts the last.
    Raises InvalidTransform.
    """

    width: int | None = None
    height: int | None = None
    fit: Fit = "fit"
    gravity: str = "center"
    crop: Region | str | None = None
    quality: int | None = None
    background: str | None = None
    upscale: bool = False
    blur: int | None = None
    sharpen: int | None = None
    profile: Profile = "srgb"
    hinted: bool = False
    frame: int | None = None

    def __post_init__(self) -> None:
        _check_side("width", self.width)
        _check_side("height", self.height)
        if self.fit not in FITS:
            raise InvalidTransform(f"fit must be one of {', '.join(FITS)}")
        _check_gravity(self.gravity)
        if self.fit == "fit":
            if self.gravity != "center":
                raise InvalidTransform("gravity needs fill, pad or crop")
        else:
            _ = self.box
        if self.fit == "pad" and self.gravity not in COMPASS:
            raise InvalidTransform(
                "pad cuts nothing, so its gravity must be a compass direction"
            )
        if self.upscale and (self.fit == "crop" or (self.width, self.height) == (None, None)):
            raise InvalidTransform("upscale needs a size to scale to")
        if self.hinted and self.width is None:
            raise InvalidTransform(
                "a width that follows hints needs one for when there are none"
            )
        if isinstance(self.crop, str):
            if not _CROP_NAME.fullmatch(self.crop):
                raise InvalidTransform("a crop's name has 1 to 40 of a-z, 0-9 and hyphen")
        elif self.crop is not None:
            _check_region(self.crop)
        for name in ("quality", "blur", "sharpen"):
            value = getattr(self, name)
            if value is not None and not (_is_int(value) and 1 <= value <= 100):
                raise InvalidTransform(f"{name} must be 1 to 100")
        if self.background not in (None, TRANSPARENT) and not _HEX_COLOR.fullmatch(
            str(self.background)
        ):
            raise InvalidTransform("background must be six lower-case hex digits or none")
        frame = self.frame
        if frame is not None and not (_is_int(frame) and 1 <= frame <= MOST_FRAMES):
            raise InvalidTransform(f"frame must be 1 to {MOST_FRAMES}")
        if self.profile not in PROFILES:
            raise InvalidTransform(f"profile must be one of {', '.join(PROFILES)}")

    @property
    def gravities(self) -> tuple[str, ...]:
        """The parts of the gravity; the last one always applies."""
        parts = tuple(self.gravity.split("-"))
        return parts if parts[-1] not in KNOWN else (*parts, "center")

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


def _check_gravity(gravity: str) -> None:
    *known, last = gravity.split("-")
    if last not in GRAVITIES or not set(known) <= set(KNOWN):
        raise InvalidTransform(
            f"gravity must be one of {', '.join(GRAVITIES)}; {', '.join(KNOWN)} may come before"
        )
    if len({*known, last}) != len(known) + 1:
        raise InvalidTransform("gravity names the same twice")
    if known and last == "center":
        raise InvalidTransform("gravity ends at the center by itself")


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
