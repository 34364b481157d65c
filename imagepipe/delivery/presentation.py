"""How one use of a picture looks: preset, crop, sizes, loading, and what may stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagepipe.delivery.documents import scene_of
from imagepipe.urlspec import NOTHING_KNOWN, Preset, Scene, Transform, output_size
from imagepipe.urlspec.transform import REGION_SCALE, Region


@dataclass(frozen=True)
class Presentation:
    """How this use of the picture looks."""

    preset: Preset
    alt: str
    priority: bool = False
    sizes: str = ""
    css_class: str = ""
    figure_class: str = ""
    crop: Region | None = None
    """What is cut out of the picture for this use, before the preset."""
    crops: Mapping[str, Region] = field(default_factory=dict, hash=False)
    """The same by name: it counts where the preset names the crop."""
    recipe: str = ""
    """SHA-256 of the recipe of a generated picture, for those who count views."""
    placeholder: bool = True
    """Whether a lazy picture's place has its dominant colour until it has loaded."""

    def transforms(
        self, width: int, height: int, scene: Scene = NOTHING_KNOWN
    ) -> tuple[Transform, ...]:
        """The preset's, for a picture of this size, of what is cut out of it here."""
        return transforms_of_crop(self.preset, self.crop_in(scene), width, height, scene)

    def shown_crop(self, document: Mapping[str, Any]) -> list[float] | None:
        """What is cut out of a published picture before the preset, in shares of 0 to 1."""
        scene = scene_of(document)
        crop = self.crop_in(scene)
        region = scene.crops.get(crop) if isinstance(crop, str) else crop
        return None if region is None else [part / REGION_SCALE for part in region]

    def crop_in(self, scene: Scene) -> Region | str | None:
        """What this use says of the preset's crop, or of all; else the picture's own crop."""
        name = self.preset.crop
        if name is None or name in self.crops:
            return self.crop if name is None else self.crops[name]
        return name if self.crop is None and name in scene.crops else self.crop

    def all_sizes(self) -> str:
        """``sizes``; ``"auto"`` leaves it to the browser, where it loads lazily and can.

        https://html.spec.whatwg.org/multipage/images.html#sizes-attributes
        """
        if self.sizes != "auto":
            return self.sizes or self.preset.sizes
        return self.preset.sizes if self.priority else f"auto, {self.preset.sizes}"

    def image_attributes(self) -> dict[str, str]:
        """Text and loading: priority pictures at once, others when they come near."""
        attributes = {"alt": self.alt}
        if self.css_class:
            attributes["class"] = self.css_class
        if self.recipe:
            attributes["data-recipe"] = self.recipe
        if self.priority:
            return {**attributes, "loading": "eager", "fetchpriority": "high"}
        return {**attributes, "loading": "lazy", "decoding": "async"}


def transforms_of_crop(
    preset: Preset, crop: Region | str | None, width: int, height: int, scene: Scene
) -> tuple[Transform, ...]:
    """The preset's, for a picture of this size of which only the crop is shown."""
    if crop is None:
        return preset.transforms(width, height)
    part = output_size(width, height, Transform(crop=crop), scene)
    return tuple(replace(transform, crop=crop) for transform in preset.transforms(*part))


@dataclass(frozen=True)
class Variant:
    """What stands in a picture's place where ``media`` holds, an HTML media query list."""

    media: str
    presentation: Presentation
    document: Mapping[str, Any] | None
    image: Any = None
    """The Wagtail image where there is no document: imagepipe does not manage it."""
