"""Load the small CLIP of this repository in open_clip; compare its features.

Wheels of torchvision on PyPI are made for the CUDA build of torch. Beside a CPU build their
compiled operators cannot be loaded, and ``import torchvision`` fails because it names two of
them. open_clip uses none, so declaring those two is enough to go on here. The system check has
to say that the pair does not fit exactly when that is so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "fixtures/models"
NAMED_BY_THE_IMPORT = ("nms", "qnms")
LIBRARIES: list[object] = []
"""Declarations live as long as their object."""
TOLERANCE = 1e-3
"""Of features of length one; rounding of pictures and numbers stays well below."""


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
    """The small CLIP of this repository gives the features that transformers gives."""
    sys.path.insert(0, str(MODELS / "training"))
    import open_clip
    import torch
    from open_clip_folder import write
    from PIL import Image

    with tempfile.TemporaryDirectory() as scratch:
        write(MODELS / "pocket-clip", Path(scratch))
        model, prepare = open_clip.create_model_from_pretrained(
            f"local-dir:{scratch}", precision="fp32"
        )
        words = open_clip.SimpleTokenizer(f"{scratch}/bpe.txt.gz", context_length=24)
    vectors = ROOT / "fixtures/vectors/pocket-clip.json"
    expected = json.loads(vectors.read_text("utf-8"))["pairs"]
    sheet = Image.open(ROOT / "fixtures/prompts/heldout-pairs.webp").convert("RGB")
    corners = [(pair["cell"] % 8 * 128, pair["cell"] // 8 * 128) for pair in expected]
    pictures = [prepare(sheet.crop((x, y, x + 128, y + 128))) for x, y in corners]
    with torch.no_grad():
        seen = model.encode_image(torch.stack(pictures), normalize=True)
        read = model.encode_text(words([pair["text"] for pair in expected]), normalize=True)
    for found, name in ((seen, "image"), (read, "words")):
        wanted = torch.tensor([pair[name] for pair in expected])
        difference = (found - wanted).abs().max().item()
        print(f"{name}: largest difference from transformers {difference:.1e}")  # noqa: T201
        assert difference < TOLERANCE, f"{name} differ"  # noqa: S101
    right = (seen @ read.T).argmax(1).tolist()
    assert right == list(range(len(expected))), right  # noqa: S101
    print(f"open_clip {open_clip.__version__} on torch {torch.__version__}: the same")  # noqa: T201


def main() -> None:
    fit, said = fits(), warnings()
    print(f"torchvision fits: {fit}; the system check says: {said}")  # noqa: T201
    assert bool(said) is not fit, "the system check and the import disagree"  # noqa: S101
    encode()


if __name__ == "__main__":
    main()
