"""What a smart crop adds to making a 2 MP picture, in milliseconds of CPU.

    python -m tests.benchmarks.crop_cost WORK [--rounds 12]

Faces and subject come with the grant, so that they cost arithmetic only; attention is found in
the pixels. A round makes the same pictures in all three ways, in another order each time.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import defaultdict
from pathlib import Path

from edge.encode import encode
from edge.render import read_header, render
from imagepipe.urlspec import Scene, parse_transform
from tests.benchmarks.edge_pixels import LIMITS, Rounds, cpu_of, interval, sources

SCENE = Scene(
    faces=((0.2, 0.2, 0.1, 0.15), (0.6, 0.3, 0.1, 0.15)), subject=(0.1, 0.1, 0.6, 0.7)
)
WAYS = ("center", "faces-subject", "attention")


def crop(data: bytes, gravity: str, width: int) -> None:
    header = read_header(data, LIMITS)
    transform = parse_transform(f"w_{width},h_{width * 9 // 16},c_fill,g_{gravity}")
    image, _ = render(data, header, transform, SCENE)
    encode(image, "jpg", packet=b"<x/>")


def main(work: Path, rounds: int) -> None:
    pictures = [path.read_bytes() for path in sources(work)["p2"]]
    samples: Rounds = defaultdict(list)
    for number in range(rounds + 1):
        ways = list(WAYS)
        random.Random(number).shuffle(ways)
        for way in ways:
            spent = cpu_of(lambda w=way, n=number: [crop(d, w, 790 + n) for d in pictures])  # type: ignore[misc]
            if number:  # the first round warms up
                samples[way].append(spent / len(pictures))
    print("| gravity | CPU ms | added to the centre's (95 %; rounds) |\n|---|---|---|")
    for way, values in samples.items():
        added = [a - b for a, b in zip(values, samples["center"], strict=True)]
        middle, low, high = interval(added)
        shown = f"{middle:.1f} ({low:.1f} to {high:.1f}; {len(added)})"
        print(f"| {way} | {statistics.median(values):.1f} | {shown} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    main(options.work, options.rounds)
