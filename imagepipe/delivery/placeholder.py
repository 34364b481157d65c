"""The neutral picture that stands where pixels may not be shown."""

from __future__ import annotations

import io
import re
from functools import lru_cache

TEXT = "Not available"
PAPER, INK = (226, 226, 226), (118, 118, 118)
NAME_PATTERN = r"[0-9a-f]{20}_not-available\.png$"
"""File names of placeholders. Names of pictures have no underscore after their token."""


def placeholder_name(token: str) -> str:
    return f"{token}_not-available.png"


def is_placeholder(file_name: str) -> bool:
    return re.search(NAME_PATTERN, file_name) is not None


@lru_cache(maxsize=8)
def placeholder(width: int, height: int) -> bytes:
    """A PNG of this size with two greys; a few hundred bytes to a few kilobytes."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("1", (width, height))
    size = min(width // 8, height // 3, 160)
    if size >= 6:
        font = ImageFont.load_default(size)
        ImageDraw.Draw(picture).text(
            (width / 2, height / 2), TEXT, fill=1, anchor="mm", font=font
        )
    picture = picture.convert("L").point(lambda value: 1 if value else 0).convert("P")
    picture.putpalette([*PAPER, *INK])
    file = io.BytesIO()
    picture.save(file, "PNG", bits=1, optimize=True)
    return file.getvalue()
