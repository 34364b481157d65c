"""Fit the start value of auto-quality, and judge it on photographs that were not fitted.

    python -m tests.benchmarks.fit_quality SAMPLES.jsonl... [--write]

Half of the photographs fit, the other half judge; `photographs.is_for_testing` says which.
With `--write` the coefficients, fitted on the first half only, go to edge/quality_model.py.
The judgement follows the probes of `edge.autoquality` along the measured curves.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np

from edge.autoquality import BOUNDS, TOLERANCE, next_quality
from tests.benchmarks.photographs import is_for_testing

MODEL = Path(__file__).parents[2] / "edge/quality_model.py"
TARGETS = (66, 70, 74, 78, 82)
NAMES = ("bits", "edges", "size")
RIDGE = 0.3
FIXED = {"jpg": 78, "webp": 76, "avif": 54}

Curve = tuple[str, dict[str, float], np.ndarray, np.ndarray, np.ndarray]


def curves(paths: list[Path], extension: str, settled: bool = True) -> list[Curve]:
    rows = defaultdict(list)
    for path in paths:
        for row in map(json.loads, path.read_text().splitlines()):
            if row["format"] == extension and row["settled"] == settled:
                rows[row["name"], row["width"]].append(row)
    found = []
    for (name, _), group in rows.items():
        group.sort(key=lambda row: row["quality"])
        quality = np.array([row["quality"] for row in group], float)
        score = np.maximum.accumulate([row["score"] for row in group])
        size = np.array([row["bytes"] for row in group], float)
        found.append((name, group[0]["features"], quality, score, size))
    return found


def row_of(features: dict[str, float], target: float) -> list[float]:
    return [1.0, target / 10, *(features[name] for name in NAMES)]


def fit(data: list[Curve]) -> np.ndarray:
    rows, wanted = [], []
    for _, features, quality, score, _ in data:
        for target in TARGETS:
            if score[0] < target < score[-1]:
                rows.append(row_of(features, target))
                wanted.append(np.interp(target, score, quality))
    a, b = np.array(rows), np.array(wanted)
    mean = a.mean(axis=0)
    centred = a - mean
    centred[:, 0] = 1.0
    penalty = RIDGE * np.eye(a.shape[1])
    penalty[0, 0] = 0
    weights = np.linalg.solve(centred.T @ centred + penalty, centred.T @ b)
    weights[0] -= weights[1:] @ mean[1:]
    return weights


def slope(data: list[Curve]) -> float:
    """Points of SSIMULACRA2 per step of quality, between 66 and 84 points."""
    steps = []
    for *_, quality, score, _ in data:
        pair = np.interp([66, 84], score, quality)
        if score[0] < 66 and score[-1] > 84:
            steps.append(18 / (pair[1] - pair[0]))
    return statistics.median(steps)


def judge(extension: str, data: list[Curve], weights: np.ndarray, per_step: float) -> None:
    least, most = BOUNDS[extension]
    fixed = FIXED[extension]
    at_fixed = [float(np.interp(fixed, c[2], c[3])) for c in data]
    bytes_fixed = [float(np.exp(np.interp(fixed, c[2], np.log(c[4])))) for c in data]
    target = statistics.mean(at_fixed)
    scores, sizes, probes = [], [], []
    for _, features, quality, score, size in data:
        q = int(np.clip(round(float(weights @ row_of(features, target))), least, most))
        tried: dict[int, float] = {}
        while q not in tried and len(tried) < 3:
            tried[q] = float(np.interp(q, quality, score))
            if abs(tried[q] - target) <= TOLERANCE:
                break
            q = next_quality(tried, target, per_step, (least, most))
        best = min(tried, key=lambda item: abs(tried[item] - target))
        scores.append(tried[best])
        sizes.append(float(np.exp(np.interp(best, quality, np.log(size)))))
        probes.append(len(tried))
    # Bytes at the fixed quality whose mean score equals the mean of the automatic one.
    line = range(int(least), int(most) + 1)
    means = [statistics.mean(float(np.interp(q, c[2], c[3])) for c in data) for q in line]
    equal = float(np.interp(statistics.mean(scores), means, list(line)))
    bytes_equal = sum(float(np.exp(np.interp(equal, c[2], np.log(c[4])))) for c in data)
    print(
        f"{extension:5} n={len(data):3} target {target:5.1f}  fixed q{fixed}: "
        f"spread {statistics.stdev(at_fixed):4.1f}  auto: mean {statistics.mean(scores):5.1f} "
        f"spread {statistics.stdev(scores):4.1f}  probes {statistics.mean(probes):4.2f}  "
        f"bytes {sum(sizes) / bytes_equal:5.3f} of fixed q{equal:.1f} at the same mean "
        f"(q{fixed}: {sum(sizes) / sum(bytes_fixed):5.3f})"
    )


def main(paths: list[Path], write: bool) -> None:
    lines = []
    for extension in ("jpg", "webp", "avif"):
        data = curves(paths, extension)
        training = [curve for curve in data if not is_for_testing(curve[0])]
        testing = [curve for curve in data if is_for_testing(curve[0])]
        weights, per_step = fit(training), slope(training)
        names = {len({c[0] for c in part}) for part in (training,)}
        print(f"{extension}: fitted on {names} photographs, slope {per_step:.2f}")
        judge(extension, training, weights, per_step)
        judge(extension, testing, weights, per_step)
        named = zip(("one", "target", *NAMES), weights, strict=True)
        pairs = ", ".join(f"{name}={weight:.2f}" for name, weight in named)
        lines.append(f'    "{extension}": Start({pairs}, slope={per_step:.2f}),')
    if write:
        text = MODEL.read_text()
        head, _, _ = text.partition("#: Fitted")
        note = "#: Fitted by tests/benchmarks/fit_quality.py.\n"
        table = "START: Final[dict[str, Start]] = {\n" + "\n".join(lines) + "\n}\n"
        MODEL.write_text(head + note + table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    main(options.samples, options.write)
