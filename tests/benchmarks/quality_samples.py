"""Measure bytes and SSIMULACRA2 of photographs at several qualities, for `fit_quality.py`.

    python -m tests.benchmarks.quality_samples PHOTOGRAPHS SAMPLES.jsonl

Takes a quarter of an hour on one core; continues where it stopped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from edge.encode import Effort, save
from edge.features import features
from edge.similarity import Reference
from edge.vips import pyvips
from tests.benchmarks.photographs import photographs

WIDTHS = (640,)
QUALITIES = {
    "jpg": (50, 65, 75, 85, 92),
    "webp": (50, 65, 75, 85, 92),
    "avif": (40, 50, 58, 66, 76),
}
FAST, SETTLED = Effort.fast(), Effort.settled()


def measure(name: str, path: Path, width: int) -> Iterator[dict]:
    image = pyvips.Image.thumbnail(str(path), width, size="down")
    image = (image.flatten() if image.hasalpha() else image).colourspace("srgb").copy_memory()
    reference = Reference(image)
    started = time.process_time()
    cheap = features(image)
    cost = time.process_time() - started
    for extension, qualities in QUALITIES.items():
        for effort in (FAST, SETTLED):
            for quality in qualities:
                started = time.process_time()
                body = save(image, extension, quality, effort)
                seconds = time.process_time() - started
                yield {
                    "name": name,
                    "width": image.width,
                    "height": image.height,
                    "features": cheap,
                    "features_ms": cost * 1000,
                    "format": extension,
                    "settled": effort is SETTLED,
                    "quality": quality,
                    "bytes": len(body),
                    "ms": seconds * 1000,
                    "score": reference.score(pyvips.Image.new_from_buffer(body, "")),
                }


def main(folder: Path, target: Path) -> None:
    lines = target.read_text().splitlines() if target.is_file() else []
    done = {(row["name"], row["width"]) for row in map(json.loads, lines)}
    for name, path in photographs(folder).items():
        for width in WIDTHS:
            size = min(width, pyvips.Image.new_from_file(str(path)).width)
            if (name, size) in done:
                continue
            done.add((name, size))
            rows = [json.dumps(row) + "\n" for row in measure(name, path, width)]
            with target.open("a") as file:
                file.writelines(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
