"""What an editor is told about the crops of a version: state, suggestion and warnings."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse
from django.utils.translation import gettext as _

from imagepipe.assets import thumbnails
from imagepipe.assets.models import AssetVersion
from imagepipe.delivery.crop_models import NamedCrop
from imagepipe.delivery.crop_shapes import CropShape, crop_shapes
from imagepipe.delivery.crop_suggestion import Suggestion, cut_faces, suggest_crop
from imagepipe.delivery.focal import focal_point
from imagepipe.delivery.legibility import SCALE, Grid, headline_contrast, luminance_grid
from imagepipe.delivery.legibility import text_luminance as luminance_of
from imagepipe.delivery.scenes import find_scene, known_scene
from imagepipe.delivery.uses import shares
from imagepipe.urlspec import Scene
from imagepipe.urlspec.transform import Region
from imagepipe.views.access import may

logger = logging.getLogger("imagepipe.delivery")


@dataclass(frozen=True)
class CropState:
    """One crop of a version: ``current`` is what people set, ``stale`` that of an older one."""

    shape: CropShape
    suggestion: Suggestion
    current: NamedCrop | None
    stale: NamedCrop | None
    size: tuple[int, int]
    warnings: tuple[str, ...]

    @property
    def region(self) -> Region:
        """What an editor starts from."""
        return (self.current or self.suggestion).region

    @property
    def pixels(self) -> tuple[int, int]:
        return pixels_of(self.region, self.size)

    @property
    def percent(self) -> int:
        """How far the suggestion can be trusted, in per cent."""
        return round(self.suggestion.confidence * 100)


class CropReport:
    """The crops of one version, in the order of the settings.

    ``looks`` finds faces and subject first where nobody has; that may take half a second.
    """

    def __init__(self, version: AssetVersion, *, looks: bool = False) -> None:
        self.version = version
        self.size = version.width, version.height
        if looks:
            _look_into(version)

    @cached_property
    def scene(self) -> Scene:
        found = known_scene(self.version.sha256)
        focal = focal_point(self.version.asset, self.version)
        return Scene((focal[0], focal[1]) if focal else None, found.faces, found.subject)

    @cached_property
    def grid(self) -> Grid:
        """Empty where the picture cannot be read."""
        try:
            return luminance_grid(thumbnails.read(self.version.sha256))
        except (OSError, ValueError):
            logger.warning("no luminances of master %s", self.version.sha256[:16])
            return []

    @cached_property
    def states(self) -> list[CropState]:
        current = self.version.crops.filter(replaced_at=None).select_related("created_by")
        by_name = {crop.name: crop for crop in current}
        older = NamedCrop.objects.filter(
            version__asset=self.version.asset,
            version__number__lt=self.version.number,
            replaced_at=None,
        ).select_related("version")
        stale = {crop.name: crop for crop in older.order_by("version__number")}
        return [
            self._state(shape, by_name.get(name), stale.get(name))
            for name, shape in crop_shapes().items()
        ]

    def state(self, name: str) -> CropState | None:
        return next((one for one in self.states if one.shape.name == name), None)

    def warnings(self, shape: CropShape, region: Region) -> tuple[str, ...]:
        """What is wrong with a crop, in sentences."""
        found = []
        if cut_faces(region, self.scene.faces):
            found.append(_("The edge cuts through a face."))
        headline = shape.headline
        if headline is not None and self.grid:
            contrast = headline_contrast(self.grid, region, headline)
            if contrast < headline.contrast:
                found.append(
                    _(
                        "A headline is hard to read here: contrast %(found).1f, "
                        "%(needed).1f is needed."
                    )
                    % {"found": contrast, "needed": headline.contrast}
                )
        return tuple(found)

    def details(self, user: AbstractBaseUser) -> dict[str, Any]:
        """JSON for the controller in the browser, which warns while somebody drags."""
        address = self.version.asset.uid, self.version.number
        return {
            "size": list(self.size),
            "picture": reverse("imagepipe_admin:version_picture", args=address),
            "faces": [list(face) for face in self.scene.faces],
            "grid": self.grid,
            "scale": SCALE,
            "shapes": {
                one.shape.name: _shape_details(one, extend_url(self.version, user, one.shape))
                for one in self.states
            },
        }

    def _state(
        self, shape: CropShape, current: NamedCrop | None, stale: NamedCrop | None
    ) -> CropState:
        suggestion = suggest_crop(self.scene, shape.ratio, self.size)
        region = (current or suggestion).region
        return CropState(
            shape,
            suggestion,
            current,
            None if current else stale,
            self.size,
            self.warnings(shape, region),
        )


def pixels_of(region: Region, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a crop in pixels of the master, nearly."""
    return round(region[2] * size[0] / 10_000), round(region[3] * size[1] / 10_000)


def extend_url(version: AssetVersion, user: AbstractBaseUser, shape: CropShape) -> str:
    """Where the picture can be painted on beyond its edges until it has the shape.

    Empty where the person may not have it done.
    """
    if version.asset.withdrawn_at or not may(user, "generate"):
        return ""
    page = reverse("imagepipe_admin:version_extend", args=[version.asset.uid, version.number])
    return f"{page}?{urlencode({'shape': f'{shape.ratio[0]}:{shape.ratio[1]}'})}"


def _shape_details(state: CropState, extend: str) -> dict[str, Any]:
    headline = state.shape.headline
    return {
        "label": state.shape.label,
        "ratio": list(state.shape.ratio),
        "headline": headline
        and {
            "zone": list(headline.zone),
            "luminance": luminance_of(headline.colour),
            "colour": headline.colour,
            "contrast": headline.contrast,
        },
        "suggestion": shares(state.suggestion.region),
        "percent": state.percent,
        "fits": state.suggestion.fits,
        "extend": "" if state.suggestion.fits else extend,
        "own": None if state.current is None else shares(state.current.region),
    }


def _look_into(version: AssetVersion) -> None:
    try:
        find_scene(version.sha256)
    except FileNotFoundError:
        logger.warning("the master %s is missing", version.sha256[:16])
