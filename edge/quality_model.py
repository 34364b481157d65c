"""Where the search for a quality starts: a line through what photographs needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Start:
    """Weights of `edge.features` and of a tenth of the target; slope in points per step."""

    one: float
    target: float
    bits: float
    edges: float
    size: float
    slope: float

    def quality(self, features: dict[str, float], target: float) -> float:
        """The format's own quality that is expected to meet the target."""
        known = {**features, "one": 1.0, "target": target / 10}
        return sum(getattr(self, name) * value for name, value in known.items())


#: Fitted by tests/benchmarks/fit_quality.py.
START: Final[dict[str, Start]] = {
    "jpg": Start(one=51.10, target=15.37, bits=28.23, edges=-18.79, size=6.87, slope=0.62),
    "webp": Start(one=38.16, target=15.05, bits=21.22, edges=-16.27, size=9.37, slope=0.70),
    "avif": Start(one=3.88, target=13.59, bits=19.97, edges=-9.84, size=4.01, slope=0.63),
}
