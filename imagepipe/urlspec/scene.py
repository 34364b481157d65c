"""What is known of a picture's content before it is cut: points and boxes, no pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from imagepipe.urlspec.transform import Region

Point = tuple[float, float]
#: x, y, width and height as shares of the (upright) picture, 0 to 1.
Share = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """The focal point, faces (largest first or not), the subject, and the crops by name.

    Points and boxes are shares of width and height; crops are in 1/10000, as in transforms.
    """

    focal: Point | None = None
    faces: tuple[Share, ...] = ()
    subject: Share | None = None
    crops: Mapping[str, Region] = field(default_factory=dict, hash=False)


NOTHING_KNOWN: Final = Scene()
