"""Art direction: another crop or another picture for narrow viewports and dark pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from imagepipe.delivery.markup import Presentation, Variant
from imagepipe.delivery.shown import ShownPicture
from imagepipe.urlspec import Preset

NARROW_MEDIA = "(max-width: 40rem)"
DARK_MEDIA = "(prefers-color-scheme: dark)"


@dataclass(frozen=True)
class ArtDirection:
    """What a template says for narrow viewports and for dark ones.

    ``narrow_preset`` None is the picture's own; pictures that are None are not named, or may
    not be shown. In the dark, the dark picture wins over the narrow one, in its preset.
    """

    narrow_preset: Preset | None = None
    narrow_media: str = NARROW_MEDIA
    narrow_picture: ShownPicture | None = None
    dark_picture: ShownPicture | None = None

    def variants(self, main: ShownPicture, presentation: Presentation) -> Iterator[Variant]:
        """The most special first, as browsers take the first that holds."""
        narrow = presentation
        if self.narrow_preset is not None:
            sizes = presentation.sizes if presentation.sizes == "auto" else ""
            narrow = replace(presentation, preset=self.narrow_preset, sizes=sizes)
        if self.dark_picture is not None:
            if self.narrow_preset is not None:
                media = both(self.narrow_media, DARK_MEDIA)
                yield variant_of(self.dark_picture, media, narrow)
            yield variant_of(self.dark_picture, DARK_MEDIA, presentation)
        if self.narrow_preset is not None or self.narrow_picture is not None:
            yield variant_of(self.narrow_picture or main, self.narrow_media, narrow)


def both(queries: str, feature: str) -> str:
    """The media query list that holds where a list and a media feature hold."""
    parts = [part.strip() for part in queries.split(",")]
    return ", ".join(
        f"({part}) and {feature}"
        if re.search(r"\b(or|not)\b", part)
        else f"{part} and {feature}"
        for part in parts
    )


def variant_of(picture: ShownPicture, media: str, presentation: Presentation) -> Variant:
    """The picture with its own crop."""
    own = replace(presentation, crop=picture.use.crop, crops=picture.use.crops)
    return Variant(media, own, picture.document, picture.image)


def may_show(picture: ShownPicture | None) -> ShownPicture | None:
    """None for what has nothing to show: withdrawn, expired, unpublished."""
    if picture is None or (picture.document is None and picture.image is None):
        return None
    return picture
