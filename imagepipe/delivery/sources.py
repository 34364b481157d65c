"""The addresses of one picture in one place: in all widths and formats, with their size.

They are remembered by everything that shapes them, the signing key included, so they are
never out of date; whether the picture may be shown at all is decided before, every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from html import escape
from typing import Any, Final, NamedTuple

from imagepipe.conf import get_settings
from imagepipe.delivery.addresses import Extension
from imagepipe.delivery.documents import scene_of
from imagepipe.delivery.presentation import Presentation, transforms_of_crop
from imagepipe.delivery.presets import get_preset
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import (
    MIME_TYPES,
    NOTHING_KNOWN,
    ImagePath,
    Keyring,
    Preset,
    Scene,
    Transform,
    output_size,
    sign_formats,
)
from imagepipe.urlspec.transform import Region

STILL: Final[tuple[Extension, ...]] = ("avif", "webp", "jpg")
MOVING: Final[tuple[Extension, ...]] = ("webp", "gif")
#: Uses of pictures in the memory of a process, some 5 to 10 KB each.
REMEMBERED: Final = 1500


@dataclass(frozen=True)
class PictureSources:
    """The addresses of one picture in one place, and the pixels of the largest.

    ``srcsets`` has the formats best first; the last one is for every browser.
    """

    srcsets: Mapping[Extension, str]
    src: str
    sizes: str
    width: int
    height: int

    @cached_property
    def sources_html(self) -> str:
        """A `<source>` for each format but the fallback."""
        return "".join(
            f'<source type="{MIME_TYPES[extension]}" srcset="{escape(self.srcsets[extension])}"'
            f' sizes="{escape(self.sizes)}">'
            for extension in list(self.srcsets)[:-1]
        )

    @cached_property
    def image_html(self) -> str:
        """The attributes of the `<img>` that say where it is and how large."""
        fallback = list(self.srcsets)[-1]
        return (
            f' src="{escape(self.src)}" srcset="{escape(self.srcsets[fallback])}"'
            f' sizes="{escape(self.sizes)}" width="{self.width}" height="{self.height}"'
        )


def formats_of(document: Mapping[str, Any]) -> tuple[Extension, ...]:
    """The formats of a published picture, best first; the last one is for every browser."""
    return MOVING if document.get("moves") else STILL


def sources_of(document: Mapping[str, Any], presentation: Presentation) -> PictureSources:
    """Signed addresses in all formats, best first; ``src`` is the largest fallback."""
    place = _Place.of(document, presentation, load_keyring())
    return _sources(place, presentation.all_sizes())


def negotiated_sources(
    document: Mapping[str, Any], presentation: Presentation
) -> PictureSources:
    """The same as one list: the edge answers in the best format that the browser accepts."""
    place = _Place.of(document, presentation, load_keyring())
    return _sources(place._replace(formats=("auto",)), presentation.all_sizes())


def transforms_of(document: Mapping[str, Any], preset: Preset) -> tuple[Transform, ...]:
    """The preset's for a published picture, as a use shows it that says nothing itself."""
    source = document["width"], document["height"]
    return Presentation(preset, "").transforms(*source, scene_of(document))


def widest_transform(document: Mapping[str, Any], preset: Preset) -> Transform:
    """The last of :func:`transforms_of`, without the others."""
    [widest] = transforms_of(document, _widest_step(preset))
    return widest


def widest_address(document: Mapping[str, Any], preset: str, keyring: Keyring) -> str:
    """Where the largest JPEG of a preset is, as a use shows it that says nothing itself."""
    presentation = Presentation(_widest_step(get_preset(preset)), "")
    return _widest(_Place.of(document, presentation, keyring))


@lru_cache(maxsize=200)
def _widest_step(preset: Preset) -> Preset:
    return replace(preset, widths=(max(preset.widths),))


class _Place(NamedTuple):
    """All that shapes addresses. ``region`` is what a crop by name cuts out."""

    asset: str
    version: str
    slug: str
    width: int
    height: int
    preset: Preset
    crop: Region | str | None
    region: Region | None
    keyring: Keyring
    edge: str
    formats: tuple[Extension, ...]

    @classmethod
    def of(
        cls, document: Mapping[str, Any], presentation: Presentation, keyring: Keyring
    ) -> _Place:
        scene = scene_of(document)
        crop = presentation.crop_in(scene)
        return cls(
            document["asset"],
            document["version"],
            document["slug"],
            document["width"],
            document["height"],
            presentation.preset,
            crop,
            scene.crops.get(crop) if isinstance(crop, str) else None,
            keyring,
            get_settings().EDGE_URL,
            formats_of(document),
        )

    def scene(self) -> Scene:
        if isinstance(self.crop, str) and self.region is not None:
            return Scene(crops={self.crop: self.region})
        return NOTHING_KNOWN

    def transforms(self, scene: Scene) -> tuple[Transform, ...]:
        return transforms_of_crop(self.preset, self.crop, self.width, self.height, scene)

    def addresses(self, transform: Transform, formats: Sequence[Extension]) -> list[str]:
        path = ImagePath(transform, self.asset, self.version, self.slug, formats[0])
        return [self.edge + item for item in sign_formats(path, formats, self.keyring)]


@lru_cache(maxsize=REMEMBERED)
def _sources(place: _Place, sizes: str) -> PictureSources:
    scene = place.scene()
    transforms = place.transforms(scene)
    pixels = [output_size(place.width, place.height, item, scene) for item in transforms]
    rows = [place.addresses(item, place.formats) for item in transforms]
    srcsets = {
        extension: ", ".join(
            f"{row[column]} {width}w" for row, (width, _) in zip(rows, pixels, strict=True)
        )
        for column, extension in enumerate(place.formats)
    }
    return PictureSources(srcsets, rows[-1][-1], sizes, *pixels[-1])


@lru_cache(maxsize=REMEMBERED)
def _widest(place: _Place) -> str:
    [transform] = place.transforms(place.scene())
    [address] = place.addresses(transform, ("jpg",))
    return address
