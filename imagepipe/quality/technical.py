"""Technical quality: refuses noise, flat, dark, blown-out and blurred pictures.

Thresholds and what they were tuned on (lowest and highest value of each group):

=============  =====  ==========================  =============  ========================
measure        limit  19 photographs and scans    3-D objects    planted
=============  =====  ==========================  =============  ========================
grain (max)    0.60   0.03 – 0.53 (grass)         0.00 – 0.05    noise 1.0, ×4 0.77
deviation      0.02   0.04 (fundus) – 0.47        0.06 – 0.27    flat 0.00
contrast       0.12   0.19 (fundus) – 1.00        0.33 – 0.79    flat 0.00, dark 0.04
highlight      0.15   0.46 – 1.00                 0.63 – 0.97    near-black 0.04
shadow (max)   0.92   0.00 – 0.45                 0.11 – 0.34    white 1.00
sharpness      0.015  0.027 (motion blur) – 0.53  0.03 – 0.17    blur of 32 px 0.012
=============  =====  ==========================  =============  ========================

Not seen: noise enlarged eight times or more, which looks like soft blobs.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from imagepipe.quality.measures import Measures, measure
from imagepipe.quality.protocol import Finding, Outcome


@dataclass(frozen=True, slots=True)
class _Limit:
    measure: str
    code: str
    limit: float
    at_most: bool
    message: str


LIMITS = (
    _Limit("highlight", "too-dark", 0.15, False, "The picture is almost black"),
    _Limit("shadow", "too-bright", 0.92, True, "The picture is almost white"),
    _Limit("deviation", "flat", 0.02, False, "The picture shows one flat tone"),
    _Limit("grain", "noise", 0.60, True, "The picture is mostly noise"),
    _Limit("contrast", "low-contrast", 0.12, False, "The picture has hardly any contrast"),
    _Limit("sharpness", "blurred", 0.015, False, "The picture has no sharp edge"),
)


class TechnicalQuality:
    """Score 0 to 1, higher is better; 0.5 is the limit of the measure that is worst."""

    slug = "technical"
    threshold = 0.5

    def check(self, image: Image.Image) -> Finding:
        measures = measure(image)
        worst = min(LIMITS, key=lambda limit: _margin(limit, measures))
        broken = [limit for limit in LIMITS if _margin(limit, measures) < self.threshold]
        details = tuple(measures.rounded().items())
        if broken:
            first = broken[0]
            value = getattr(measures, first.measure)
            side = "at most" if first.at_most else "at least"
            return Finding(
                check=self.slug,
                outcome=Outcome.REFUSED,
                code=first.code,
                message=(
                    f"{first.message} ({first.measure} {value:.2f}, {side} "
                    f"{first.limit:g} is expected)."
                ),
                score=round(_margin(worst, measures), 4),
                threshold=self.threshold,
                details=(*details, ("refused_for", ",".join(limit.code for limit in broken))),
            )
        return Finding(
            check=self.slug,
            outcome=Outcome.PASSED,
            code="technical-ok",
            message="No technical fault was found.",
            score=round(_margin(worst, measures), 4),
            threshold=self.threshold,
            details=details,
        )


def _margin(limit: _Limit, measures: Measures) -> float:
    value = getattr(measures, limit.measure)
    if limit.at_most:
        span = (1 - value) / (1 - limit.limit)
    else:
        span = value / limit.limit
    return max(0.0, min(1.0, span / 2))
