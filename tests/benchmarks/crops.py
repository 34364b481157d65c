"""How often a crop holds the labelled subject: ours, libvips attention, the centre, thumbor.

    python -m tests.benchmarks.crops PHOTOGRAPHS [--u2netp MODEL.onnx]

A case is one photograph and one aspect ratio in which the subject can be held at all. It is
held when nine tenths of the labelled box are inside.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.vips import pyvips
from imagepipe.delivery.subjects import find_faces, find_subject
from imagepipe.urlspec import Scene, Transform, plan
from tests.benchmarks.labels import ASPECTS, LABELS, Box
from tests.benchmarks.photographs import photographs

ENOUGH = 0.9
SIDE = 1000
Way = Callable[[bytes, int, int, Transform, Box], Box]


def held(window: Box, label: Box) -> float:
    """The share of the label that is inside the window."""
    spans = [
        max(
            0.0,
            min(window[i] + window[i + 2], label[i] + label[i + 2]) - max(window[i], label[i]),
        )
        for i in (0, 1)
    ]
    return spans[0] * spans[1] / (label[2] * label[3])


def by_plan(gravity: str, scene_of: Callable[[bytes, Box], Scene]) -> Way:
    def way(data: bytes, width: int, height: int, transform: Transform, label: Box) -> Box:
        smart = Transform(transform.width, transform.height, "fill", gravity)
        result = plan(width, height, smart, scene_of(data, label))
        box, scale = result.crop_box, (result.scale_width, result.scale_height)
        return box[0] / scale[0], box[1] / scale[1], box[2] / scale[0], box[3] / scale[1]

    return way


def attention(data: bytes, width: int, height: int, transform: Transform, label: Box) -> Box:
    result = plan(width, height, transform)
    image = pyvips.Image.thumbnail_buffer(
        data, result.scale_width, height=result.scale_height, size="force"
    ).copy_memory()
    # Where the cut lies is seen from coordinates in place of colours.
    _, where = image.smartcrop(
        result.crop_box.width,
        result.crop_box.height,
        interesting="attention",
        attention_x=True,
        attention_y=True,
    )
    window = []
    for name, side, cut in (
        ("attention_x", image.width, result.crop_box.width),
        ("attention_y", image.height, result.crop_box.height),
    ):
        window.append((min(max(where[name] - cut // 2, 0), side - cut) / side, cut / side))
    (x, across), (y, down) = window
    return x, y, across, down


def mask_box(model: Path) -> Callable[[bytes], Box]:
    """The box of u2netp's mask."""
    import numpy as np
    import onnxruntime
    from PIL import Image

    network = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    def find(data: bytes) -> Box:
        small = Image.open(io.BytesIO(data)).convert("RGB").resize((320, 320))
        pixels = np.asarray(small, np.float32)
        pixels = (pixels / pixels.max() - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
        batch = pixels.transpose(2, 0, 1)[None].astype(np.float32)
        mask = network.run(None, {network.get_inputs()[0].name: batch})[0][0, 0]
        mask = (mask - mask.min()) / (np.ptp(mask) + 1e-6) > 0.5
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        x, y = columns[0] / 320, rows[0] / 320
        return x, y, (columns[-1] + 1) / 320 - x, (rows[-1] + 1) / 320 - y

    return find


def cases(folder: Path) -> Iterator[tuple[str, bytes, int, int, Transform, Box]]:
    found = photographs(folder)
    for name, label in LABELS.items():
        if name not in found:
            continue
        image = pyvips.Image.thumbnail(str(found[name]), SIDE, size="down")
        data = image.jpegsave_buffer(Q=92)
        for across, down in ASPECTS:
            scale = min(image.width / across, image.height / down)
            transform = Transform(int(across * scale), int(down * scale), "fill")
            best = min(1, transform.width / image.width / label[2]) * min(
                1, transform.height / image.height / label[3]
            )
            if best >= ENOUGH:
                yield name, data, image.width, image.height, transform, label


def main(folder: Path, model: Path | None) -> None:
    known: dict[bytes, Scene] = {}
    masks: dict[bytes, Scene] = {}

    def scene_of(data: bytes, label: Box) -> Scene:
        if data not in known:
            known[data] = Scene(faces=find_faces(data), subject=find_subject(data))
        return known[data]

    ways: dict[str, Way] = {
        "faces-subject": by_plan("faces-subject", scene_of),
        "centre": by_plan("center", scene_of),
        "label itself": by_plan("subject", lambda data, label: Scene(subject=label)),
    }
    ways["libvips attention"] = attention
    if model is not None:
        find = mask_box(model)

        def masked(data: bytes, label: Box) -> Scene:
            if data not in masks:
                masks[data] = Scene(faces=scene_of(data, label).faces, subject=find(data))
            return masks[data]

        ways["faces, u2netp"] = by_plan("faces-subject", masked)
    hits = {name: [0, 0] for name in ways}
    missed: dict[str, list[str]] = {}
    for name, data, width, height, transform, label in cases(folder):
        for key, way in ways.items():
            inside = held(way(data, width, height, transform, label), label) >= ENOUGH
            hits[key][0] += inside
            hits[key][1] += 1
            if not inside and key.startswith("faces"):
                missed.setdefault(f"{key}: {name}", []).append(
                    f"{transform.width}x{transform.height}"
                )
    for key, (inside, count) in hits.items():
        print(f"{key:16} {inside}/{count} = {inside / count:.1%}")
    for name, sizes in missed.items():
        print("missed", name, *sizes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--u2netp", type=Path)
    options = parser.parse_args()
    main(options.photographs, options.u2netp)
