"""Build a small open_clip model with random weights, encode a picture and a text.

Wheels of torchvision on PyPI are made for the CUDA build of torch. Beside a CPU build their
compiled operators cannot be loaded, and ``import torchvision`` fails because it names two of
them. open_clip uses none, so declaring those two is enough to go on here. The system check has
to say that the pair does not fit exactly when that is so.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED_BY_THE_IMPORT = ("nms", "qnms")
LIBRARIES: list[object] = []
"""Declarations live as long as their object."""
TINY = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {
        "vocab_size": 49408,
        "width": 64,
        "heads": 4,
        "layers": 2,
    },
}


def warnings() -> list[str]:
    """What the system check says about the pair in this environment."""
    import django

    sys.path[:0] = [str(ROOT), str(ROOT / "site")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "website.settings.test")
    django.setup()
    from imagepipe.checks import check_imagepipe

    return [str(found.msg) for found in check_imagepipe() if found.id == "imagepipe.W002"]


def fits() -> bool:
    """Whether torchvision's operators can be loaded beside this torch."""
    import torch

    folder = Path(str(importlib.util.find_spec("torchvision").submodule_search_locations[0]))
    try:
        torch.ops.load_library(folder / "_C.so")
    except OSError as error:
        print(f"torchvision: {error}")  # noqa: T201
        declared = torch.library.Library("torchvision", "DEF")
        for name in NAMED_BY_THE_IMPORT:
            declared.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        LIBRARIES.append(declared)
        return False
    return True


def encode() -> None:
    import open_clip
    import torch
    from PIL import Image

    torch.manual_seed(0)
    model = open_clip.CLIP(**TINY).eval()
    prepare = open_clip.image_transform(64, is_train=False)
    picture = prepare(Image.new("RGB", (120, 80), "teal")).unsqueeze(0)
    words = open_clip.SimpleTokenizer()(["a boat in the harbour", "a red apple"])
    with torch.no_grad():
        seen, read = model.encode_image(picture), model.encode_text(words)
    assert (tuple(seen.shape), tuple(read.shape)) == ((1, 64), (2, 64))  # noqa: S101
    assert torch.isfinite(seen).all() and not torch.equal(read[0], read[1])  # noqa: S101
    print(f"open_clip {open_clip.__version__} on torch {torch.__version__}: encodes")  # noqa: T201


def main() -> None:
    fit, said = fits(), warnings()
    print(f"torchvision fits: {fit}; the system check says: {said}")  # noqa: T201
    assert bool(said) is not fit, "the system check and the import disagree"  # noqa: S101
    encode()


if __name__ == "__main__":
    main()
