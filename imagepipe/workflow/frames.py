"""The larger canvases that a picture is extended to: by sides, or to other shapes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from imagepipe.generation import canvas
from imagepipe.workflow.exceptions import InvalidBrief

MAX_RATIO = 8.0
MAX_SIDE = 8192
MAX_PIXELS = 40_000_000
_SHAPE = re.compile(r"\s*([0-9]{1,5})\s*[:x×/]\s*([0-9]{1,5})\s*")


@dataclass(frozen=True, slots=True)
class Frame:
    """A canvas in pixels, where the picture's top left corner lies on it, and its name."""

    name: str
    width: int
    height: int
    left: int = 0
    top: int = 0

    def check(self, picture: tuple[int, int]) -> None:
        """Raise :class:`InvalidBrief` unless it is larger than the picture and possible."""
        size = f"{self.width}×{self.height}"
        inside = canvas.fits(picture, (self.width, self.height), (self.left, self.top))
        if not inside:
            raise InvalidBrief(
                _("The picture does not lie within %(size)s.") % {"size": size}, "frames"
            )
        if (self.width, self.height) == picture:
            raise InvalidBrief(
                _("“%(shape)s” is the shape of the picture already.") % {"shape": self.name},
                "frames",
            )
        if max(self.width, self.height) > MAX_SIDE or self.width * self.height > MAX_PIXELS:
            raise InvalidBrief(
                _("“%(shape)s” would need %(size)s pixels, which is too large.")
                % {"shape": self.name, "size": size},
                "frames",
            )


def parse_shape(text: str) -> tuple[int, int]:
    """Return the proportions that a text such as ``9:16`` or ``1200x300`` stands for.

    Raises :class:`InvalidBrief`.
    """
    match = _SHAPE.fullmatch(text)
    across, down = (int(number) for number in match.groups()) if match else (0, 0)
    if not across or not down:
        raise InvalidBrief(
            _("“%(text)s” is not a shape. Write it as 9:16 or 1200x300.")
            % {"text": text.strip()[:20]},
            "frames",
        )
    if not 1 / MAX_RATIO <= across / down <= MAX_RATIO:
        raise InvalidBrief(
            _("“%(text)s” is too narrow; at most %(limit)d to 1 is possible.")
            % {"text": text.strip(), "limit": MAX_RATIO},
            "frames",
        )
    return across, down


def to_shape(
    picture: tuple[int, int], text: str, anchor: tuple[float, float] = (0.5, 0.5)
) -> Frame:
    """Return the smallest canvas of that shape that holds the whole picture.

    ``anchor``: which share of the new room goes to the left and to the top, 0 to 1.
    """
    across, down = parse_shape(text)
    if not all(math.isfinite(share) and 0 <= share <= 1 for share in anchor):
        raise InvalidBrief(_("The place of the picture lies outside the canvas."), "frames")
    larger = canvas.extend_to_ratio(picture, (across, down), 1, anchor)
    separator = ":" if ":" in text else "×"
    frame = Frame(
        f"{across}{separator}{down}", larger.width, larger.height, *larger.offset
    )
    frame.check(picture)
    return frame


def by_sides(
    picture: tuple[int, int], *, left: float, top: float, right: float, bottom: float
) -> Frame:
    """Return the canvas that is larger by shares of the picture's width and height, 0 to 4."""
    shares = (left, top, right, bottom)
    if not all(math.isfinite(share) and 0 <= share <= 4 for share in shares):
        raise InvalidBrief(_("A side can grow by 0 to 400 per cent."), "frames")
    width, height = picture
    larger = canvas.extend_sides(
        picture,
        left=round(left * width),
        top=round(top * height),
        right=round(right * width),
        bottom=round(bottom * height),
    )
    frame = Frame(
        f"{larger.width}×{larger.height}", larger.width, larger.height, *larger.offset
    )
    frame.check(picture)
    return frame
