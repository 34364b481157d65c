"""What an editor wants done to an existing picture, and the canvases that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from imagepipe.generation.decoding import decode, encode
from imagepipe.generation.request import Mode
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.frames import Frame
from imagepipe.workflow.source_pictures import SourcePicture

MODES = (Mode.IMAGE_TO_IMAGE, Mode.INPAINT, Mode.OUTPAINT)
MAX_FEATHER = 512
FEATHER = 24
"""Pixels of the master over which new parts fade into the old."""
GROUND_AREA = 1024 * 1024
"""Pixels in which a ground is continued; it is soft, so that scaling it shows nothing."""
STRENGTH = {Mode.IMAGE_TO_IMAGE: 0.6, Mode.INPAINT: 1.0, Mode.OUTPAINT: 1.0}


@dataclass(frozen=True, slots=True)
class Edit:
    """How a picture is changed.

    ``strength``: how far what is made anew may move away from the source, above 0 to 1; 0
    stands for the mode's usual one. ``mask``: hash of the kept mask (inpainting).
    ``feather``: pixels of the master. ``surroundings``: whether the model looks at the region
    and what is around it only, in more detail. ``frames``: one per picture (outpainting).
    ``ground``: new room continues the ground, and no model is asked.
    """

    mode: str
    source: SourcePicture
    strength: float = 0.0
    mask: str = ""
    feather: int = FEATHER
    surroundings: bool = False
    frames: tuple[Frame, ...] = ()
    ground: bool = False

    def to_dict(self) -> dict[str, Any]:
        return encode(self)

    @classmethod
    def from_dict(cls, data: Any) -> Edit:
        """Return the edit that ``to_dict`` wrote down. Raises ``ValueError``."""
        return decode(cls, {"ground": False} | data if isinstance(data, dict) else data)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the source as it is shown."""
        return self.source.width, self.source.height

    @property
    def canvases_have_size(self) -> bool:
        """Whether the source decides how large the result is."""
        return self.mode != Mode.IMAGE_TO_IMAGE

    def check(self) -> Edit:
        """Return the edit with its strength; raise :class:`InvalidBrief` with what to do."""
        if self.mode not in MODES:
            raise InvalidBrief(_("This way to change a picture is unknown."), "mode")
        self.source.check("source")
        strength = self.strength or STRENGTH[Mode(self.mode)]
        if not math.isfinite(strength) or not 0.01 <= strength <= 1:
            raise InvalidBrief(_("The strength is a number from 0.01 to 1."), "strength")
        if type(self.feather) is not int or not 0 <= self.feather <= MAX_FEATHER:
            raise InvalidBrief(
                _("The soft edge has 0 to %(limit)d pixels.") % {"limit": MAX_FEATHER},
                "feather",
            )
        if self.mode == Mode.INPAINT and not self.mask:
            raise InvalidBrief(_("Mark what shall be made anew."), "mask")
        if self.ground and self.mode != Mode.OUTPAINT:
            raise InvalidBrief(_("Only new room can continue the ground."), "mode")
        if self.mode == Mode.OUTPAINT:
            self._check_frames()
        return replace(self, strength=strength)

    def _check_frames(self) -> None:
        if not self.frames:
            raise InvalidBrief(_("Choose at least one shape or a side."), "frames")
        if len({(f.width, f.height, f.left, f.top) for f in self.frames}) < len(self.frames):
            raise InvalidBrief(_("Two of the shapes are the same."), "frames")
        for frame in self.frames:
            frame.check(self.size)

    def canvases(self, model: RegisteredModel) -> tuple[dict[str, Any], ...]:
        """Parameters of the step ``canvas``, one per frame; none for image-to-image."""
        if self.mode == Mode.IMAGE_TO_IMAGE:
            return ()
        frames = self.frames or (Frame("", *self.size),)
        area = GROUND_AREA if self.ground else model.native_width * model.native_height
        return tuple(
            {
                "source": self.source.sha256,
                "size": [frame.width, frame.height],
                "offset": [frame.left, frame.top],
                "mask": self.mask,
                "feather": self.feather,
                "surroundings": self.surroundings and self.mode == Mode.INPAINT,
                "area": area,
            }
            for frame in frames
        )
