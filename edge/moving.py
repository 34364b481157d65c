"""Animations: every frame is made like a still, by the same plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge.exceptions import SourceUnusable
from edge.render import Header, Limits, finished, scaled_frame, searched
from edge.vips import pyvips
from imagepipe.urlspec import FORMATS, NOTHING_KNOWN, Plan, Scene, Transform, plan

#: What masters that move may be. AVIF sequences are not read by libvips.
MOVING_MIMES: Final = ("image/gif", "image/webp")
#: Of a picture that moves; browsers show shorter ones no faster.
SHORTEST_DELAY: Final = 20
_DELAY: Final = 100


def may_move(mime: str, transform: Transform, extension: str) -> bool:
    """Whether it is worth a look at the master: no frame is named, the formats can move."""
    is_format = extension == "auto" or FORMATS[extension].moves
    return is_format and transform.frame is None and mime in MOVING_MIMES


def moves(header: Header, transform: Transform, scene: Scene, limits: Limits) -> bool:
    """Whether an animation is delivered; one above the limits is a still of its first frame.

    The limits hold for all frames of the master together, and of the result.
    """
    todo = plan(header.width, header.height, transform, scene)
    pixels = max(header.width * header.height, todo.width * todo.height)
    return 1 < header.frames <= limits.frames and header.frames * pixels <= limits.moving_pixels


def render_moving(
    data: bytes, header: Header, transform: Transform, scene: Scene = NOTHING_KNOWN
) -> tuple[pyvips.Image, Plan]:
    """All frames below each other, as the encoders want them. Raises SourceUnusable."""
    todo = plan(header.width, header.height, transform, scene)
    try:
        roll = _load(data, header, transform.profile)
        height, frames = roll.get("page-height"), []
        for top in range(0, roll.height, height):
            frame = scaled_frame(roll.crop(0, top, roll.width, height), todo)
            if todo.is_searched:  # in the first one; the others must not jump
                todo = replace(todo, crop_box=searched(frame, todo), is_searched=False)
            frames.append(finished(frame, todo, transform, header))
        joined = pyvips.Image.arrayjoin(frames, across=1).copy_memory()
    except pyvips.Error:
        raise SourceUnusable(502, "source-damaged", "the master cannot be decoded") from None
    joined.set_type(pyvips.GValue.gint_type, "page-height", todo.height)
    joined.set_type(pyvips.GValue.array_int_type, "delay", _delays(roll, len(frames)))
    joined.set_type(pyvips.GValue.gint_type, "loop", _times(roll))
    return joined, todo


def _load(data: bytes, header: Header, profile: str) -> pyvips.Image:
    roll = pyvips.Image.new_from_buffer(data, "", n=-1, fail_on="truncated").copy_memory()
    if header.has_profile or profile != "srgb":
        height = roll.get("page-height")
        roll = roll.icc_transform(
            profile, input_profile="srgb", embedded=True, intent="relative"
        ).copy_memory()
        roll.set_type(pyvips.GValue.gint_type, "page-height", height)
    if roll.interpretation != "srgb":
        roll = roll.colourspace("srgb")
    return roll.cast("uchar") if roll.format != "uchar" else roll


def _delays(roll: pyvips.Image, count: int) -> list[int]:
    """Milliseconds of each frame; what is missing or too short gets the usual 100."""
    known = list(roll.get("delay")) if "delay" in roll.get_fields() else []
    known = [delay if delay >= SHORTEST_DELAY else _DELAY for delay in known[:count]]
    return known + [_DELAY] * (count - len(known))


def _times(roll: pyvips.Image) -> int:
    """How often it is shown; 0 is without end."""
    return int(roll.get("loop")) if "loop" in roll.get_fields() else 0
