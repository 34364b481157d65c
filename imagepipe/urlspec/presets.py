"""Named sets of transforms, one per width, for srcset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from imagepipe.urlspec.exceptions import InvalidTransform
from imagepipe.urlspec.transform import MAX_DIMENSION, Fit, Transform

#: The widths renditions are made in unless a preset says otherwise. Few, so that caches fill.
LADDER: Final[tuple[int, ...]] = (320, 480, 640, 800, 1200, 1600, 2400)
#: What an editor set comes first, then what was found.
SMART: Final = "focal-faces-subject"


@dataclass(frozen=True, slots=True)
class Preset:
    """How one kind of place on a page shows pictures.

    `ratio` (width, height) cuts to that shape; without it the picture keeps its own. `crop`
    names the crop that is cut out first where the picture has it. `sizes` is the HTML
    attribute. Raises InvalidTransform.
    """

    name: str
    widths: tuple[int, ...] = LADDER
    ratio: tuple[int, int] | None = None
    fit: Fit = "fit"
    gravity: str = "center"
    sizes: str = "100vw"
    quality: int | None = None
    background: str | None = None
    crop: str | None = None

    def __post_init__(self) -> None:
        if not self.widths or any(not 1 <= width <= MAX_DIMENSION for width in self.widths):
            raise InvalidTransform(f"preset {self.name}: widths must be 1 to {MAX_DIMENSION}")
        if (self.ratio is None) != (self.fit == "fit"):
            raise InvalidTransform(f"preset {self.name}: a ratio goes with fill, pad or crop")
        if self.ratio is not None and min(self.ratio) < 1:
            raise InvalidTransform(
                f"preset {self.name}: both parts of the ratio must be 1 or more"
            )
        for width in self.widths:
            self._transform(width)
        if self.crop is not None:
            if not isinstance(self.crop, str):
                raise InvalidTransform(f"preset {self.name}: crop is the name of a crop")
            Transform(crop=self.crop)

    def transforms(self, source_width: int, source_height: int) -> tuple[Transform, ...]:
        """One transform per width, narrowest first; nothing is enlarged, no width comes twice.

        Where the source is narrower than the widest step, its own width ends the row.
        """
        widest = source_width
        if self.ratio is not None:
            widest = min(widest, max(1, source_height * self.ratio[0] // self.ratio[1]))
        widths = sorted({min(width, widest) for width in self.widths})
        return tuple(self._transform(width) for width in widths)

    def _transform(self, width: int) -> Transform:
        height = None
        if self.ratio is not None:
            across, down = self.ratio
            height = max(1, (2 * width * down + across) // (2 * across))
        return Transform(
            width=width,
            height=height,
            fit=self.fit,
            gravity=self.gravity,
            quality=self.quality,
            background=self.background,
        )


#: Presets every installation has.
PRESETS: Final[dict[str, Preset]] = {
    preset.name: preset
    for preset in (
        Preset("content", sizes="(min-width: 60rem) 50rem, 100vw"),
        Preset("hero", ratio=(16, 9), fit="fill", gravity=SMART, crop="hero"),
        Preset(
            "card",
            widths=(320, 480, 640, 800),
            ratio=(4, 3),
            fit="fill",
            gravity=SMART,
            sizes="(min-width: 60rem) 20rem, (min-width: 40rem) 50vw, 100vw",
            crop="card",
        ),
        Preset("square", (160, 320, 480, 640), (1, 1), "fill", SMART, "20rem", crop="square"),
        Preset("thumbnail", (165, 330), sizes="165px"),
        Preset("social", (1200,), (1200, 630), "fill", "focal", crop="social"),
    )
}
