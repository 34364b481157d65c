"""One use of a picture: its words and its crop on this page, not those of the asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from imagepipe.urlspec import InvalidTransform, Transform
from imagepipe.urlspec.transform import REGION_SCALE, Region

MAX_ALT_LENGTH = 250
MOST_CROPS = 30
WHOLE: Region = (0, 0, REGION_SCALE, REGION_SCALE)


class InvalidUse(ValueError):
    """What is stored or asked for cannot be a use of a picture."""


@dataclass(frozen=True, slots=True)
class ImageUse:
    """Alternative text, decorative or not, and crop of one use.

    ``alt_text`` None or empty leaves the asset's own; ``crop`` None shows the whole picture.
    ``crops`` go before ``crop`` where a preset names them.
    """

    alt_text: str | None = None
    decorative: bool = False
    crop: Region | None = None
    crops: Mapping[str, Region] = field(default_factory=dict, hash=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> ImageUse:
        """Read what :meth:`to_dict` wrote. Raises InvalidUse."""
        if data is None:
            return cls()
        if not isinstance(data, Mapping):
            raise InvalidUse("a use is a mapping of alt_text, decorative and crop")
        text, decorative = data.get("alt_text"), data.get("decorative", False)
        if not isinstance(text, str | None) or not isinstance(decorative, bool | None):
            raise InvalidUse("alt_text is a text, decorative is true or false")
        return cls(text or None, bool(decorative), *read_crops(data.get("crop")))

    def to_dict(self) -> dict[str, Any]:
        """JSON; only what differs from the picture's own. ``crop`` as in `crop_value`."""
        data: dict[str, Any] = {}
        if self.alt_text:
            data["alt_text"] = self.alt_text
        if self.decorative:
            data["decorative"] = True
        if value := crop_value(self.crop, self.crops):
            data["crop"] = value
        return data


def read_crop(value: Any) -> Region | None:
    """Left, top, width and height as shares of the picture (0 to 1). Raises InvalidUse."""
    if value in (None, "", [], ()):
        return None
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise InvalidUse("a crop has four numbers: left, top, width, height")
    if not all(isinstance(part, int | float) and 0 <= part <= 1 for part in value):
        raise InvalidUse("each number of a crop lies between 0 and 1")
    left, top, width, height = (round(part * REGION_SCALE) for part in value)
    region = (left, top, width, height)
    if region == WHOLE:
        return None
    try:
        Transform(crop=region)
    except InvalidTransform as error:
        raise InvalidUse(str(error)) from error
    return region


def read_crops(value: Any) -> tuple[Region | None, dict[str, Region]]:
    """The crop of the use and those by name, from what :func:`crop_value` gives.

    Raises InvalidUse.
    """
    if not isinstance(value, Mapping):
        return read_crop(value), {}
    if len(value) > MOST_CROPS:
        raise InvalidUse(f"a use has at most {MOST_CROPS} crops")
    found: dict[str, Region] = {}
    for name, crop in value.items():
        try:
            Transform(crop=str(name) or None)
        except InvalidTransform as error:
            raise InvalidUse(str(error)) from error
        region = read_crop(crop)
        if region is not None:
            found[str(name)] = region
    return found.pop("", None), found


def crop_value(crop: Region | None, crops: Mapping[str, Region]) -> Any:
    """JSON: four shares of 0 to 1, or a mapping of them by name with ``""`` for all others."""
    if not crops:
        return shares(crop) if crop else None
    named = {name: shares(region) for name, region in crops.items()}
    return {"": shares(crop), **named} if crop else named


def shares(region: Region) -> list[float]:
    return [part / REGION_SCALE for part in region]


def use_of(image: models.Model) -> ImageUse:
    """What an image instance says about its use; Wagtail's blocks say it in the same words."""
    text = getattr(image, "contextual_alt_text", None)
    return ImageUse(
        text if text is None else str(text),  # JSON of importers may hold anything
        bool(getattr(image, "decorative", False)),
        getattr(image, "contextual_crop", None),
        getattr(image, "contextual_crops", None) or {},
    )


def apply_use(image: Any, use: ImageUse) -> None:
    """Make an image instance, which must belong to this use alone, say it."""
    image.contextual_alt_text = use.alt_text
    image.decorative = use.decorative
    image.contextual_crop = use.crop
    image.contextual_crops = use.crops
