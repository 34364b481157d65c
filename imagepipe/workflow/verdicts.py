"""The verdict on a replay: how the picture made again compares with the one of the recipe."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from PIL import Image

from imagepipe.generation.differences import Difference
from imagepipe.quality.similarity import Similarity, similarity

LEAST_SSIM = 0.98
"""From here on (1: equal) two pictures are taken for perceptually equal, if also…"""
MOST_HASH_BITS = 4
"""…at most so many of the 64 bits of their perceptual hashes differ."""


class Verdict(StrEnum):
    """``REFUSED``: not made again, because what the recipe needs is not there."""

    BIT_EXACT = "bit-exact"
    PERCEPTUALLY_EQUAL = "perceptually-equal"
    DIVERGED = "diverged"
    REFUSED = "refused"


class Basis(StrEnum):
    """What was compared."""

    FILE = "file"
    """The files as the engine wrote them, by their SHA-256."""
    PIXELS = "pixels"
    """The pixels that the engine made; the files are packed differently."""
    MASTER = "master"
    """The master's pixels, after the same post-production: the raw picture is gone."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verdict with its measures; ``similarity`` is None where the bits are equal."""

    verdict: Verdict
    basis: Basis
    similarity: Similarity | None = None


def compare_raw(then_sha256: str, then: bytes | None, now: bytes) -> Comparison | None:
    """Compare two raw PNGs; None when only a hash is known and it is another one."""
    if then_sha256 == hashlib.sha256(now).hexdigest():
        return Comparison(Verdict.BIT_EXACT, Basis.FILE)
    return None if then is None else _compare(_open(then), _open(now), Basis.PIXELS)


def compare_master(
    master: bytes, now: bytes, finish: Callable[[Image.Image], Image.Image]
) -> Comparison:
    """Compare a finished master with a raw PNG after the same post-production."""
    return _compare(_open(master), finish(_open(now)), Basis.MASTER)


def _compare(then: Image.Image, now: Image.Image, basis: Basis) -> Comparison:
    if then.size == now.size and then.tobytes() == now.tobytes():
        return Comparison(Verdict.BIT_EXACT, basis)
    measured = similarity(then, now)
    close = measured.ssim >= LEAST_SSIM and measured.hash_bits <= MOST_HASH_BITS
    alike = close and then.size == now.size
    return Comparison(
        Verdict.PERCEPTUALLY_EQUAL if alike else Verdict.DIVERGED, basis, measured
    )


def _open(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.convert("RGB")


def to_output(
    comparison: Comparison, found: tuple[Difference, ...], reproducible: bool
) -> dict[str, Any]:
    """Return plain JSON values for the output of the step."""
    measured = comparison.similarity
    return {
        "verdict": str(comparison.verdict),
        "basis": str(comparison.basis),
        "ssim": round(measured.ssim, 6) if measured else 1.0,
        "hash_bits": measured.hash_bits if measured else 0,
        "differences": [asdict(one) for one in found],
        "reproducible": reproducible,
    }
