"""The pixels of a cut, turned and toned: region, size, rotation, quality, in this order."""

from __future__ import annotations

import threading
from typing import Final

from edge.exceptions import SourceUnusable
from edge.iiif.geometry import Cut
from edge.iiif.syntax import ImageRequest
from edge.iiif.tiles import tile_factor
from edge.render import Header, load
from edge.vips import pyvips
from imagepipe.urlspec import FORMATS

#: Memory of the one level that is kept, because tiles of it are asked for one after the other.
LEVEL_BYTES: Final = 48 * 1024 * 1024
_WHITE: Final = [255, 255, 255]
_MIDDLE: Final = 128
_TURNS: Final = {90: "d90", 180: "d180", 270: "d270"}


class Renderer:
    """Cuts pixels out of masters. Safe for use by several threads."""

    def __init__(self) -> None:
        self._level: tuple[tuple[str, int], pyvips.Image] | None = None
        self._lock = threading.Lock()

    def render(
        self, sha256: str, master: bytes, header: Header, request: ImageRequest, cut: Cut
    ) -> pyvips.Image:
        """The pixels in memory. Raises SourceUnusable."""
        try:
            image = self._cut(sha256, master, header, cut).copy_memory()
            return _toned(_turned(image, request), request).copy_memory()
        except pyvips.Error:
            raise SourceUnusable(
                502, "source-damaged", "the master cannot be decoded"
            ) from None

    def _cut(self, sha256: str, master: bytes, header: Header, cut: Cut) -> pyvips.Image:
        width, height, box = header.width, header.height, cut.box
        factor = tile_factor(cut, width, height)
        if factor is not None:
            level = self._level_of(sha256, master, header, factor)
            return level.crop(box.left // factor, box.top // factor, cut.width, cut.height)
        if box == (0, 0, width, height):
            return load(master, header, cut.width, cut.height)
        shrink = 1
        while _leaves_enough(cut, 2 * shrink):
            shrink *= 2
        image = load(master, header, max(1, width // shrink), max(1, height // shrink))
        return _scaled(image.crop(*_part(cut, header, image)), cut.width, cut.height)

    def _level_of(
        self, sha256: str, master: bytes, header: Header, factor: int
    ) -> pyvips.Image:
        """The whole picture reduced by a factor; in memory, if it is not too large."""
        width, height = -(-header.width // factor), -(-header.height // factor)
        if width * height * (4 if header.has_alpha else 3) > LEVEL_BYTES:
            return load(master, header, width, height)
        key = sha256, factor
        with self._lock:
            if self._level is None or self._level[0] != key:
                self._level = None
                self._level = key, load(master, header, width, height).copy_memory()
            return self._level[1]


def _leaves_enough(cut: Cut, shrink: int) -> bool:
    """Whether the reduced region still has twice the pixels that are wanted."""
    box = cut.box
    return box.width // shrink >= 2 * cut.width and box.height // shrink >= 2 * cut.height


def _part(cut: Cut, header: Header, image: pyvips.Image) -> tuple[int, int, int, int]:
    """The region's place in a reduced picture."""
    box = cut.box
    left = min(image.width - 1, round(box.left * image.width / header.width))
    top = min(image.height - 1, round(box.top * image.height / header.height))
    width = max(1, round(box.width * image.width / header.width))
    height = max(1, round(box.height * image.height / header.height))
    return left, top, min(width, image.width - left), min(height, image.height - top)


def _scaled(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    if (image.width, image.height) == (width, height):
        return image
    image = image.copy_memory()
    return image.thumbnail_image(width, height=height, size="force", no_rotate=True)


def _turned(image: pyvips.Image, request: ImageRequest) -> pyvips.Image:
    """Mirrored from left to right, then turned clockwise."""
    if request.mirrored:
        image = image.fliphor()
    if request.rotation:
        image = image.rot(_TURNS[request.rotation])
    return image


def _toned(image: pyvips.Image, request: ImageRequest) -> pyvips.Image:
    """Without transparency where the format has none; in grey, or in black and white."""
    is_bitonal = request.quality == "bitonal"
    if image.hasalpha() and (is_bitonal or not FORMATS[request.extension].has_alpha):
        image = image.flatten(background=_WHITE)
    if request.quality == "default":
        return image
    image = image.colourspace("b-w")
    return image >= _MIDDLE if is_bitonal else image
