"""From a master's bytes to the exact pixels of a plan, in sRGB and upright."""

from __future__ import annotations

from dataclasses import dataclass

from edge.config import EdgeConfig
from edge.exceptions import SourceUnusable
from edge.vips import pyvips
from imagepipe.urlspec import Plan, Transform, plan

_MIME_OF_LOADER = {
    "jpegload_buffer": "image/jpeg",
    "pngload_buffer": "image/png",
    "webpload_buffer": "image/webp",
    "heifload_buffer": "image/avif",
}
_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_WHITE = "ffffff"


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a master before it is decoded; the size is the upright one."""

    mime: str
    width: int
    height: int
    has_alpha: bool
    has_profile: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest picture that is decoded."""

    pixels: int
    side: int

    @classmethod
    def of(cls, config: EdgeConfig) -> Limits:
        """The limits of a configuration."""
        return cls(config.max_source_pixels, config.max_source_side)


def read_header(data: bytes, limits: Limits) -> Header:
    """Look at a master without decoding it. Raises SourceUnusable."""
    try:
        image = pyvips.Image.new_from_buffer(data, "")
        loader = image.get("vips-loader")
    except pyvips.Error:
        raise _damaged() from None
    if loader not in _MIME_OF_LOADER:
        raise SourceUnusable(
            502, "source-damaged", "the master is not a JPEG, PNG, WebP or AVIF"
        )
    width, height = image.width, image.height
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise SourceUnusable(422, "source-too-large", "the master has too many pixels")
    fields = image.get_fields()
    if "orientation" in fields and image.get("orientation") in _TURNED:
        width, height = height, width
    return Header(
        _MIME_OF_LOADER[loader], width, height, image.hasalpha(), "icc-profile-data" in fields
    )


def render(
    data: bytes, header: Header, transform: Transform, focal: tuple[float, float] | None
) -> tuple[pyvips.Image, Plan]:
    """The pixels, in memory, and the plan they were made by. Raises SourceUnusable."""
    todo = plan(header.width, header.height, transform, focal)
    try:
        image = _scale(data, header, todo)
        image = _cut(image, todo, transform)
        if image.hasalpha() and transform.background is not None:
            image = flatten(image, transform.background)
        if todo.is_padded:
            image = _pad(image, todo, transform.background or _WHITE)
        image = image.copy_memory()
    except pyvips.Error:
        raise _damaged() from None
    if (image.width, image.height) != (todo.width, todo.height):
        raise AssertionError(f"planned {todo}, made {image.width}x{image.height}")
    return image, todo


def flatten(image: pyvips.Image, background: str | None) -> pyvips.Image:
    """Without transparency, on a background of six hex digits (default white)."""
    return image.flatten(background=_rgb(background or _WHITE))


def _scale(data: bytes, header: Header, todo: Plan) -> pyvips.Image:
    """Shrink while loading, turn upright, convert to 8-bit sRGB."""
    options = {"export_profile": "srgb", "intent": "relative"} if header.has_profile else {}
    # The fail_on argument of thumbnail_buffer does not reach the loader; the option does.
    image = pyvips.Image.thumbnail_buffer(
        data,
        todo.scale_width,
        height=todo.scale_height,
        size="force",
        option_string="[fail_on=truncated]",
        **options,
    )
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    return image.cast("uchar") if image.format != "uchar" else image


def _cut(image: pyvips.Image, todo: Plan, transform: Transform) -> pyvips.Image:
    if transform.gravity == "attention" and todo.is_cropped:
        if todo.region != (0, 0, image.width, image.height):
            image = image.crop(*todo.region)
        # The search reads the pixels twice, which a decoder that streams cannot give.
        return image.copy_memory().smartcrop(
            todo.crop_box.width, todo.crop_box.height, interesting="attention"
        )
    return image.crop(*todo.crop_box) if todo.is_cropped else image


def _pad(image: pyvips.Image, todo: Plan, background: str) -> pyvips.Image:
    colour = _rgb(background) + ([255] if image.hasalpha() else [])
    return image.embed(
        *todo.offset, todo.width, todo.height, extend="background", background=colour
    )


def _rgb(text: str) -> list[int]:
    return list(bytes.fromhex(text))


def _damaged() -> SourceUnusable:
    return SourceUnusable(502, "source-damaged", "the master cannot be decoded")
