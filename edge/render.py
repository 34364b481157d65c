"""Pixels: from a master to exactly the size the URL's plan names. libvips through pyvips."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # read when libvips starts

import pyvips

from imagepipe.urlspec import Plan, Transform, plan

_LOADERS = {"jpegload_buffer", "pngload_buffer", "webpload_buffer", "heifload_buffer"}
_SIDEWAYS = {5, 6, 7, 8}  # EXIF orientations that swap width and height
_prepared = threading.Event()


class UnusableMaster(Exception):
    """The master cannot be decoded, or is of a kind that is not delivered."""


class TooManyPixels(Exception):
    """The master, or what was asked for, has more pixels than the edge works on."""


@dataclass(frozen=True)
class Rendered:
    """Upright sRGB pixels without metadata, and how they came about."""

    image: pyvips.Image
    plan: Plan
    has_alpha: bool


def prepare_vips() -> None:
    """Only our loaders, no operation cache. Call in every process before rendering."""
    if _prepared.is_set():
        return
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in ("Jpeg", "Png", "Webp", "Heif"):
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)
    pyvips.cache_set_max(0)
    _prepared.set()


def has_alpha(master: bytes) -> bool:
    """From the header alone. Raises UnusableMaster."""
    return bool(_header(master).hasalpha())


def render(
    master: bytes,
    transform: Transform,
    focal: tuple[float, float] | None,
    *,
    alpha: bool,
    max_pixels: int,
) -> Rendered:
    """Decode, turn upright, convert to sRGB, scale, cut and pad.

    `alpha` says whether the format keeps transparency; otherwise it is flattened onto the
    transform's background or white. Raises UnusableMaster or TooManyPixels.
    """
    header = _header(master)
    if header.width * header.height > max_pixels:
        raise TooManyPixels(f"the master has more than {max_pixels} pixels")
    width, height = _upright(header)
    steps = plan(width, height, transform, focal)
    if max(steps.scale_width * steps.scale_height, steps.width * steps.height) > max_pixels:
        raise TooManyPixels(f"the picture would need more than {max_pixels} pixels")
    try:
        image = _shape(master, header, steps, transform, alpha)
    except pyvips.Error as error:
        raise UnusableMaster("the master cannot be decoded") from error
    return Rendered(image, steps, bool(image.hasalpha()))


def _header(master: bytes) -> pyvips.Image:
    prepare_vips()
    try:
        loader = pyvips.Image.new_from_buffer(
            master, "", access="sequential", fail_on="truncated"
        )
    except pyvips.Error as error:
        raise UnusableMaster("the master cannot be decoded") from error
    if loader.get("vips-loader") not in _LOADERS:
        raise UnusableMaster("the master is of a kind that is not delivered")
    return loader


def _upright(header: pyvips.Image) -> tuple[int, int]:
    turned = header.get_typeof("orientation") and header.get("orientation") in _SIDEWAYS
    return (header.height, header.width) if turned else (header.width, header.height)


def _shape(
    master: bytes, header: pyvips.Image, steps: Plan, transform: Transform, alpha: bool
) -> pyvips.Image:
    options = {}
    if header.get_typeof("icc-profile-data"):
        options["output_profile"] = "srgb"
    image = pyvips.Image.thumbnail_buffer(
        master,
        steps.scale_width,
        height=steps.scale_height,
        size="force",
        fail_on="truncated",
        **options,
    )
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    image = _cut(image, steps, transform)
    colour = _rgb(transform.background or "ffffff")
    if steps.is_padded:
        image = _pad(image, steps, transform, colour, alpha)
    if image.hasalpha() and (not alpha or transform.background is not None):
        image = image.flatten(background=colour)
    # The pixels are made here, once, so that a damaged master fails before anything is sent.
    return image.copy_memory()


def _cut(image: pyvips.Image, steps: Plan, transform: Transform) -> pyvips.Image:
    box = steps.crop_box
    if transform.gravity == "attention" and steps.is_cropped:
        # Looking for the subject reads the pixels twice, so they cannot be streamed.
        shown = image.copy_memory().crop(*steps.region)
        return shown.smartcrop(box.width, box.height, interesting="attention")
    return image.crop(*box) if steps.is_cropped else image


def _pad(
    image: pyvips.Image, steps: Plan, transform: Transform, colour: list[int], alpha: bool
) -> pyvips.Image:
    if transform.background is None and alpha:
        image = image if image.hasalpha() else image.addalpha()
        background = [0, 0, 0, 0]
    elif image.hasalpha():
        image, background = image.flatten(background=colour), colour
    else:
        background = colour
    return image.embed(
        *steps.offset, steps.width, steps.height, extend="background", background=background
    )


def _rgb(text: str) -> list[int]:
    return list(bytes.fromhex(text))
