"""How alike two pictures look: SSIMULACRA2, on libvips so that no numpy is needed.

The metric is the one published with libjxl (Cloudinary, BSD-3-Clause): structure and edges in
the XYB colour space on six scales. 100 is identical, 90 visually lossless, 70 high quality,
50 medium. Blurs are finite Gaussian kernels, which differs from the recursive original by
less than half a point on photographs.
"""

from __future__ import annotations

from typing import Final

from edge.vips import pyvips

_SCALES: Final = 6
_LEAST: Final = 8  # pixels on a side
_SIGMA: Final = 1.5
_C2: Final = 0.0009
_BIAS: Final = 0.0037930732552754493
_OPSIN: Final = [
    [0.30, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.24342268924547819, 0.20476744424496821, 0.55180986650955360],
]
_POSITIVE_XYB: Final = [[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]]
#: channel (X, Y, B) → scale → mean SSIM, ringing, blur; then the same by the fourth norm.
_WEIGHTS: Final = (
    (
        (0.0, 0.0007376606707406586, 0.0, 0.0, 0.0007793481682867309, 0.0),
        (
            0.0,
            0.0004371155730107379,
            0.0,
            1.1041726426657346,
            0.00066284834129271,
            0.00015231632783718752,
        ),
        (0.0, 0.0016406437456599754, 0.0, 1.8422455520539298, 11.441172603757666, 0.0),
        (
            0.0007989109436015163,
            0.000176816438078653,
            0.0,
            1.8787594979546387,
            10.94906990605142,
            0.0,
        ),
        (
            0.0007289346991508072,
            0.9677937080626833,
            0.0,
            0.00014003424285435884,
            0.9981766977854967,
            0.00031949755934435053,
        ),
        (0.0004550992113792063, 0.0, 0.0, 0.0013648766163243398, 0.0, 0.0),
    ),
    (
        (0.0, 0.0, 0.0, 7.466890328078848, 0.0, 17.445833984131262),
        (
            0.0006235601634041466,
            0.0,
            0.0,
            6.683678146179332,
            0.00037724407979611296,
            1.027889937768264,
        ),
        (
            225.20515300849274,
            0.0,
            0.0,
            19.213238186143016,
            0.0011401524586618361,
            0.001237755635509985,
        ),
        (
            176.39317598450694,
            0.0,
            0.0,
            24.43300999870476,
            0.28520802612117757,
            0.0004485436923833408,
        ),
        (0.0, 0.0, 0.0, 34.77906344483772, 44.835625328877896, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ),
    (
        (0.0, 0.0008680556573291698, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0005313191874358747, 0.0, 0.00016533814161379112, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0004179171803251336, 0.0017290828234722833, 0.0),
        (0.0020827005846636437, 0.0, 0.0, 8.826982764996862, 23.19243343998926, 0.0),
        (
            95.1080498811086,
            0.9863978034400682,
            0.9834382792465353,
            0.0012286405048278493,
            171.2667255897307,
            0.9807858872435379,
        ),
        (0.0, 0.0, 0.0, 0.0005130064588990679, 0.0, 0.00010854057858411537),
    ),
)


class Reference:
    """A picture that others are compared with; its scales are computed once."""

    def __init__(self, image: pyvips.Image) -> None:
        self._size = image.width, image.height
        self._scales: list[pyvips.Image] = []
        linear = _linear(image)
        for _ in range(_SCALES):
            if min(linear.width, linear.height) < _LEAST:
                break
            self._scales.append(_xyb(linear).copy_memory())
            linear = _half(linear)

    def score(self, other: pyvips.Image) -> float:
        """SSIMULACRA2 of another picture of the same size."""
        if (other.width, other.height) != self._size:
            raise ValueError("the pictures differ in size")
        linear = _linear(other)
        total = 0.0
        for number, mine in enumerate(self._scales):
            means = _differences(mine, _xyb(linear).copy_memory())
            for channel in range(3):
                weights = _WEIGHTS[channel][number]
                total += sum(w * means[3 * i + channel] for i, w in enumerate(weights))
            linear = _half(linear)
        return _points(total)


def _points(total: float) -> float:
    value = total * 0.9562382616834844
    value = (
        2.326765642916932 * value
        - 0.020884521182843837 * value**2
        + 6.248496625763138e-05 * value**3
    )
    return 100.0 - 10.0 * value**0.6276336467831387 if value > 0 else 100.0


def _linear(image: pyvips.Image) -> pyvips.Image:
    if image.hasalpha():
        image = image.flatten(background=[128, 128, 128])
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    return image.colourspace("scrgb").copy_memory()


def _xyb(linear: pyvips.Image) -> pyvips.Image:
    mixed = linear.recomb(_OPSIN) + _BIAS
    roots = _positive(mixed) ** (1 / 3) - _BIAS ** (1 / 3)
    return roots.recomb(_POSITIVE_XYB) + [0.42, 0.01, 0.55]


def _half(linear: pyvips.Image) -> pyvips.Image:
    return linear.shrink(2, 2, ceil=True).copy_memory()


def _differences(a: pyvips.Image, b: pyvips.Image) -> list[float]:
    """Eighteen means: SSIM, ringing, blur by mean, then by fourth norm; three channels each."""
    # One channel after the other: all at once would hold three times the memory.
    found = [_differences_of(a.extract_band(band), b.extract_band(band)) for band in range(3)]
    return [channel[number] for number in range(6) for channel in found]


def _differences_of(a: pyvips.Image, b: pyvips.Image) -> list[float]:
    """The six of one channel: SSIM, ringing, blur by mean, then by fourth norm."""
    blurred = a.bandjoin([b, a * a + b * b, a * b]).gaussblur(
        _SIGMA, min_ampl=0.004, precision="float"
    )
    mean_a, mean_b, squares, product = blurred.copy_memory().bandsplit()
    gap = mean_a - mean_b
    upper = (product - mean_a * mean_b) * 2 + _C2
    lower = squares - mean_a * mean_a - mean_b * mean_b + _C2
    unlike = 1 - (1 - gap * gap) * upper / lower
    edges = ((b - mean_b).abs() + 1) / ((a - mean_a).abs() + 1) - 1
    maps = _positive(unlike).bandjoin([_positive(edges), _positive(edges * -1)])
    squared = maps * maps
    stats = maps.bandjoin(squared * squared).stats()
    means = [float(stats(4, 1 + band)[0]) for band in range(6)]
    return means[:3] + [max(0.0, mean) ** 0.25 for mean in means[3:]]


def _positive(image: pyvips.Image) -> pyvips.Image:
    return (image > 0).ifthenelse(image, 0)
