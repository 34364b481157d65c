"""From a master's bytes to the exact pixels of a plan, upright and in the profile asked for."""

from __future__ import annotations

from dataclasses import dataclass

from edge.config import EdgeConfig
from edge.exceptions import SourceUnusable
from edge.finish import blurred, sharpened
from edge.vips import pyvips
from imagepipe.urlspec import LADDER, NOTHING_KNOWN, Box, Plan, Scene, Transform, plan
from imagepipe.urlspec.transform import TRANSPARENT

_MIME_OF_LOADER = {
    "jpegload_buffer": "image/jpeg",
    "pngload_buffer": "image/png",
    "webpload_buffer": "image/webp",
    "heifload_buffer": "image/avif",
    "gifload_buffer": "image/gif",
}
_ANIMATED = ("gifload_buffer", "webpload_buffer")
_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_WHITE = "ffffff"
#: What is scaled to at most before something is cut off, and what may be left of it.
LARGEST_SIDE = 65_536
LARGEST_AREA = 100_000_000


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a master before it is decoded; the size is the upright one."""

    mime: str
    width: int
    height: int
    has_alpha: bool
    has_profile: bool
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest picture that is decoded; of animations, frames and all their pixels."""

    pixels: int
    side: int
    frames: int = 1
    moving_pixels: int = 0

    @classmethod
    def of(cls, config: EdgeConfig) -> Limits:
        """The limits of a configuration."""
        return cls(
            config.max_source_pixels,
            config.max_source_side,
            config.max_frames,
            config.max_animation_pixels,
        )


def read_header(data: bytes, limits: Limits) -> Header:
    """Look at a master without decoding it. Raises SourceUnusable."""
    try:
        image = pyvips.Image.new_from_buffer(data, "")
        loader = image.get("vips-loader")
    except pyvips.Error:
        raise _damaged() from None
    if loader not in _MIME_OF_LOADER:
        raise SourceUnusable(
            502, "source-damaged", "the master is not a JPEG, PNG, WebP, AVIF or GIF"
        )
    width, height = image.width, image.height
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise SourceUnusable(422, "source-too-large", "the master has too many pixels")
    fields = image.get_fields()
    if "orientation" in fields and image.get("orientation") in _TURNED:
        width, height = height, width
    return Header(
        _MIME_OF_LOADER[loader],
        width,
        height,
        image.hasalpha(),
        "icc-profile-data" in fields,
        image.get("n-pages") if "n-pages" in fields and loader in _ANIMATED else 1,
    )


class Base:
    """One decode that several renditions of a master are made from.

    It holds the picture as wide as the widest step of the ladder, or whole where it is
    smaller: the same pixels whichever rendition comes first.
    """

    def __init__(
        self, data: bytes, header: Header, profile: str = "srgb", page: int = 0
    ) -> None:
        width = min(header.width, LADDER[-1])
        height = max(1, (2 * header.height * width + header.width) // (2 * header.width))
        try:
            self.image = load(data, header, width, height, profile, page).copy_memory()
        except pyvips.Error:
            raise _damaged() from None
        self.profile = profile

    @property
    def bytes_held(self) -> int:
        """Memory of the pixels."""
        return self.image.width * self.image.height * self.image.bands

    def suits(self, todo: Plan, transform: Transform) -> bool:
        """Whether it has the pixels that a plan needs."""
        return (
            transform.profile == self.profile
            and todo.scale_width <= self.image.width
            and todo.scale_height <= self.image.height
        )


def render(
    data: bytes,
    header: Header,
    transform: Transform,
    scene: Scene = NOTHING_KNOWN,
    base: Base | None = None,
) -> tuple[pyvips.Image, Plan]:
    """The pixels, in memory, and the plan they were made by. Raises SourceUnusable.

    With a base that has enough pixels nothing is decoded again.
    """
    todo = plan(header.width, header.height, transform, scene)
    largest = max(todo.scale_width, todo.scale_height)
    if largest > LARGEST_SIDE or todo.width * todo.height > LARGEST_AREA:
        raise SourceUnusable(
            422, "result-too-large", "the picture asked for has too many pixels"
        )
    try:
        if base is not None and base.suits(todo, transform):
            image = _resize(base.image, todo.scale_width, todo.scale_height)
        else:
            page = page_of(transform, header)
            size = todo.scale_width, todo.scale_height
            image = load(data, header, *size, transform.profile, page)
        image = finished(image, todo, transform, header).copy_memory()
    except pyvips.Error:
        raise _damaged() from None
    if (image.width, image.height) != (todo.width, todo.height):
        raise AssertionError(f"planned {todo}, made {image.width}x{image.height}")
    return image, todo


def finished(
    image: pyvips.Image, todo: Plan, transform: Transform, header: Header
) -> pyvips.Image:
    """What is done to pixels that are scaled: cut, flatten, sharpen, blur, pad."""
    image = _cut(image, todo)
    if image.hasalpha() and transform.background not in (None, TRANSPARENT):
        image = flatten(image, transform.background)
    image = sharpened(image, transform, todo.scale_width / header.width)
    image = blurred(image, transform)
    if todo.is_padded:
        image = _pad(image, todo, transform.background or _WHITE)
    return image


def page_of(transform: Transform, header: Header) -> int:
    """The frame to show, from 0 on."""
    return min(transform.frame or 1, header.frames) - 1


def scaled_frame(image: pyvips.Image, todo: Plan) -> pyvips.Image:
    """A decoded frame in the plan's scale."""
    return _resize(image, todo.scale_width, todo.scale_height)


def searched(image: pyvips.Image, todo: Plan) -> Box:
    """Where "attention" cuts a scaled picture."""
    left, top = todo.region.left, todo.region.top
    found = _cut(image, todo)
    return Box(left - found.xoffset, top - found.yoffset, found.width, found.height)


def flatten(image: pyvips.Image, background: str | None) -> pyvips.Image:
    """Without transparency, on a background of six hex digits (default white)."""
    if background in (None, TRANSPARENT):
        background = _WHITE
    return image.flatten(background=_rgb(str(background)))


def load(
    data: bytes, header: Header, width: int, height: int, profile: str = "srgb", page: int = 0
) -> pyvips.Image:
    """Shrink while loading, turn upright, convert to 8 bits of the profile.

    Pixels are decoded when they are asked for. Raises pyvips.Error.
    """
    options = {}
    if header.has_profile or profile != "srgb":
        options = {"input_profile": "srgb", "export_profile": profile, "intent": "relative"}
    # The fail_on argument of thumbnail_buffer does not reach the loader; the option does.
    image = pyvips.Image.thumbnail_buffer(
        data,
        width,
        height=height,
        size="force",
        option_string=f"[fail_on=truncated,page={page}]" if page else "[fail_on=truncated]",
        **options,
    )
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    return image.cast("uchar") if image.format != "uchar" else image


def _resize(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    if (image.width, image.height) == (width, height):
        return image
    return image.thumbnail_image(width, height=height, size="force", no_rotate=True)


def _cut(image: pyvips.Image, todo: Plan) -> pyvips.Image:
    if todo.is_searched:
        if todo.region != (0, 0, image.width, image.height):
            image = image.crop(*todo.region)
        # The search reads the pixels twice, which a decoder that streams cannot give.
        return image.copy_memory().smartcrop(
            todo.crop_box.width, todo.crop_box.height, interesting="attention"
        )
    return image.crop(*todo.crop_box) if todo.is_cropped else image


def _pad(image: pyvips.Image, todo: Plan, background: str) -> pyvips.Image:
    if background == TRANSPARENT:
        image = image if image.hasalpha() else image.addalpha()
        colour = [0, 0, 0, 0]
    else:
        colour = _rgb(background) + ([255] if image.hasalpha() else [])
    return image.embed(
        *todo.offset, todo.width, todo.height, extend="background", background=colour
    )


def _rgb(text: str) -> list[int]:
    return list(bytes.fromhex(text))


def _damaged() -> SourceUnusable:
    return SourceUnusable(502, "source-damaged", "the master cannot be decoded")
