"""Fingerprints: short values by which near-copies of a picture are found again.

Two 64-bit perceptual hashes of the structure (ImageHash: DCT and gradient) and a 4×4
grid of colours, because both hashes are blind to colour and a red and a blue version of
one object are different pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

GRID = 4
_TEXT = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{16})(?:\.([0-9a-f]{96}))?")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``phash`` and ``dhash`` are 64-bit numbers; ``colours`` 48 bytes, or empty if unknown."""

    phash: int
    dhash: int
    colours: bytes = b""

    def __str__(self) -> str:
        parts = [f"{self.phash:016x}", f"{self.dhash:016x}"]
        return ".".join([*parts, self.colours.hex()] if self.colours else parts)

    @classmethod
    def from_text(cls, text: str) -> Fingerprint:
        """Return the fingerprint that ``str`` wrote. Raises ``ValueError``."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("This is not a fingerprint.")
        phash, dhash, colours = match.groups()
        return cls(int(phash, 16), int(dhash, 16), bytes.fromhex(colours or ""))


def fingerprint(image: Image.Image) -> Fingerprint:
    """Return the fingerprint of a picture. Needs the package ImageHash."""
    import imagehash

    picture = image.convert("RGB")
    cells = picture.resize((GRID, GRID), Image.Resampling.BOX)
    return Fingerprint(
        int(str(imagehash.phash(picture)), 16),
        int(str(imagehash.dhash(picture)), 16),
        cells.tobytes(),
    )


def hamming(a: int, b: int) -> int:
    """Return the number of bits in which two hashes differ."""
    return (a ^ b).bit_count()


def colour_distance(a: Fingerprint, b: Fingerprint) -> float | None:
    """Return the mean difference of the colour grids from 0 to 255, None when unknown."""
    if len(a.colours) != len(b.colours) or not a.colours:
        return None
    first, second = (np.frombuffer(f.colours, np.uint8).astype(int) for f in (a, b))
    return float(np.abs(first - second).mean())
