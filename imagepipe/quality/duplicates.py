"""Near-duplicates: is this picture a copy of one that we have already?

Limits were chosen so that re-encoded, resized and slightly recoloured copies are found and
new pictures of the same object on the same background are not; see the tests for numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from imagepipe.quality.fingerprints import (
    Fingerprint,
    colour_distance,
    fingerprint,
    hamming,
)
from imagepipe.quality.protocol import Finding, Outcome


class NearDuplicates:
    """Score: bits in which ``phash`` differs from the most similar known picture (0–64).

    ``known`` maps a name that people understand to a fingerprint. A copy differs in at most
    ``limit`` bits of ``phash``, twice as many of the touchier ``dhash``, and on average by
    ``colour_limit`` of 255 in its colours. Pictures in ``family`` were asked for with the same
    words and are meant to be alike; only one with equal hashes is a copy of those.
    """

    slug = "duplicates"

    def __init__(
        self,
        known: Mapping[str, Fingerprint] | None = None,
        limit: int = 4,
        colour_limit: float = 12.0,
        family: Mapping[str, Fingerprint] | None = None,
    ) -> None:
        if not 0 <= limit <= 32:
            raise ValueError("The limit lies from 0 to 32 bits.")
        self._family = dict(family or {})
        self._known = dict(known or {}) | self._family
        self._limit = limit
        self._colour_limit = colour_limit

    def check(self, image: Image.Image) -> Finding:
        try:
            own = fingerprint(image)
        except ImportError:
            return Finding(
                check=self.slug,
                outcome=Outcome.SKIPPED,
                code="unavailable",
                message=(
                    "Duplicates were not looked for: the package ImageHash is not installed. "
                    "Install the extra “quality”."
                ),
            )
        details: tuple[tuple[str, str | int], ...] = (
            ("fingerprint", str(own)),
            ("compared", len(self._known)),
        )
        distances = {
            name: (hamming(own.phash, other.phash), hamming(own.dhash, other.dhash))
            for name, other in self._known.items()
            if self._same_colours(own, other)
        }
        copies = {
            name: distance
            for name, distance in distances.items()
            if self._is_copy(name, *distance)
        }
        ranked = copies or distances
        nearest = min(ranked, key=lambda name: (ranked[name], name), default=None)
        score = None if nearest is None else float(distances[nearest][0])
        if nearest is not None and nearest in copies:
            return Finding(
                check=self.slug,
                outcome=Outcome.REFUSED,
                code="duplicate",
                message=(
                    f"The picture is nearly the same as “{nearest}” "
                    f"({distances[nearest][0]} of 64 bits differ)."
                ),
                score=score,
                threshold=float(self._limit),
                details=(*details, ("duplicate_of", nearest)),
            )
        return Finding(
            check=self.slug,
            outcome=Outcome.PASSED,
            code="no-duplicate",
            message=f"No near-duplicate among {len(self._known)} pictures.",
            score=score,
            threshold=float(self._limit),
            details=details,
        )

    def _is_copy(self, name: str, phash_bits: int, dhash_bits: int) -> bool:
        limit = 0 if name in self._family else self._limit
        return phash_bits <= limit and dhash_bits <= 2 * limit

    def _same_colours(self, a: Fingerprint, b: Fingerprint) -> bool:
        distance = colour_distance(a, b)
        return distance is None or distance <= self._colour_limit
