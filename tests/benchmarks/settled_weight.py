"""What settled pictures weigh, and how they look, beside Wagtail's renditions.

    python -m tests.benchmarks.settled_weight PHOTOGRAPHS [--target 70] [--width 640]

Debian's wallpapers and scikit-image's photographs (`tests.benchmarks.photographs`), reduced
once; the same pixels are encoded as Wagtail does by default (Pillow with its qualities), as
first answers and as settled ones. SSIMULACRA2 counts on the whole picture. The last column is
the weight at Wagtail's own score, along the qualities that were measured.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

from edge.autoquality import search
from edge.encode import Effort, encode, save
from edge.similarity import Reference
from edge.vips import pyvips
from tests.benchmarks.photographs import photographs

#: https://docs.wagtail.org/en/stable/reference/settings.html#images, and how Wagtail saves.
WAGTAIL = {
    "avif": ("AVIF", {"quality": 61}),
    "webp": ("WEBP", {"quality": 80}),
    "jpg": ("JPEG", {"quality": 76, "progressive": True, "optimize": True}),
}
AROUND = (-8, 8)


def pixels(body: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(body, "").copy_memory()


def measure(path: Path, width: int, target: int) -> dict[str, dict[str, tuple[int, float]]]:
    image = pyvips.Image.thumbnail(str(path), width, size="down")
    image = (image.flatten() if image.hasalpha() else image).colourspace("srgb").copy_memory()
    reference = Reference(image)
    pillow = Image.open(io.BytesIO(image.pngsave_buffer(compression=0)))
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for extension, (name, options) in WAGTAIL.items():
        file = io.BytesIO()
        pillow.save(file, name, **options)
        settled = search(image, extension, target, Effort.settled(), seconds=60)
        bodies = {
            "Wagtail's": file.getvalue(),
            "first": encode(image, extension, packet=b""),
            "settled": settled.body,
        }
        for step in AROUND:
            quality = min(94, max(30, settled.quality + step))
            bodies[f"{step}"] = save(image, extension, quality, Effort.settled())
        found[extension] = {
            what: (len(body), reference.score(pixels(body))) for what, body in bodies.items()
        }
    return found


def at_score(curve: list[tuple[int, float]], score: float) -> float:
    """Bytes for a score between measured ones; not a number beyond them."""
    curve = sorted(curve, key=lambda point: point[1])
    scores = [point[1] for point in curve]
    if not scores[0] <= score <= scores[-1]:
        return math.nan
    return float(np.exp(np.interp(score, scores, [math.log(point[0]) for point in curve])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--target", type=int, default=70)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--every", type=int, default=1, help="only each so many-th photograph")
    options = parser.parse_args()
    rows = defaultdict(list)
    for path in list(photographs(options.photographs).values())[:: options.every]:
        for extension, found in measure(path, options.width, options.target).items():
            rows[extension].append(found)
            told = [f"{what} {size} ({score:.0f})" for what, (size, score) in found.items()]
            print(path.stem[:20], extension, *told, flush=True)
    print("| format | | mean score (least) | KiB, sum | of Wagtail's | at Wagtail's score |")
    print("|---" * 6 + "|")
    for extension, pictures in rows.items():
        wagtail = sum(found["Wagtail's"][0] for found in pictures)
        for what in ("Wagtail's", "first", "settled"):
            sizes, scores = zip(*(found[what] for found in pictures), strict=True)
            equal = ""
            if what == "settled":
                ratios = [
                    at_score([found[name] for name in ("-8", "settled", "8")], score) / size
                    for found in pictures
                    for size, score in [found["Wagtail's"]]
                ]
                known = [ratio for ratio in ratios if not math.isnan(ratio)]
                equal = f"{statistics.geometric_mean(known):.2f} (n={len(known)})"
            print(
                f"| {extension} | {what} | {statistics.mean(scores):.1f} ({min(scores):.0f}) | "
                f"{sum(sizes) / 1024:.0f} | {sum(sizes) / wagtail:.2f} | {equal} |"
            )


if __name__ == "__main__":
    main()
