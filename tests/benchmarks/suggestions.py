"""How long a suggestion takes: reading the words, comparing many vectors, the first time.

    python tests/benchmarks/suggestions.py [--clip FOLDER] [COUNT …]

Vectors are random (512 numbers, as those of CLIP ViT-B/32) in a SQLite database of their own.
With ``--clip`` the words are read by that model, once with NumPy and once with torch, each in
a process of its own; without it, by a ViT-B/32 with random weights that is written for it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 512
WORDS = "a red teapot on a blue background, soft light, seen from the left"


def timed(act: Callable[[], object], times: int = 1) -> float:
    """Median seconds."""
    found = []
    for _time in range(times):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def memory() -> float:
    """Most MiB that this process has held (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def read_words(folder: Path, way: str) -> None:
    """In a process of its own: the first text, later ones, memory."""
    import django

    django.setup()
    if way == "torch":
        from imagepipe.retrieval import clip, text_tower

        def unusable(_folder: Path) -> None:
            raise text_tower.UnusableTower("measured without it")

        clip.text_tower = unusable
    from imagepipe.retrieval.clip import text_vector

    before = memory()
    first = timed(lambda: text_vector(WORDS, folder))
    later = timed(lambda: text_vector(WORDS, folder), 20)
    print(
        f"words read with {way}: first {first:.2f} s, later {later * 1000:.1f} ms, "
        f"{memory() - before:.0f} MiB more memory"
    )


def write_clip(folder: Path) -> Path:
    """A CLIP as large as ViT-B/32 with random weights, and the tokenizer of the small one."""
    import json
    import shutil

    from transformers import CLIPConfig, CLIPModel

    small = ROOT / "fixtures/models/pocket-clip"
    ids = json.loads((small / "config.json").read_text("utf-8"))["text_config"]
    config = CLIPConfig()
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config.text_config, name, ids[name])
    CLIPModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
        shutil.copy(small / name, folder / name)
    return folder


def search_vectors(counts: list[int]) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    import numpy as np

    from imagepipe.assets.models import Asset
    from imagepipe.registry.models import RegisteredModel
    from imagepipe.retrieval import memory as kept
    from imagepipe.retrieval import search
    from imagepipe.retrieval.models import PictureVector

    RegisteredModel.objects.create(
        kind="clip", slug="clip", name="CLIP", licence="MIT", state="allowed", location="/",
        sha256="c" * 64,
    )  # fmt: skip
    random = np.random.default_rng(0)
    said = random.standard_normal(WIDTH).astype("<f4")
    search.text_vector = lambda *_given: (said / np.linalg.norm(said)).tobytes()
    there = 0
    for count in counts:
        vectors = random.standard_normal((count - there, WIDTH)).astype("<f4")
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        PictureVector.objects.bulk_create(
            (
                PictureVector(
                    sha256=f"{there + row:064x}", model_sha256="c" * 64, vector=one.tobytes()
                )
                for row, one in enumerate(vectors)
            ),
            batch_size=1000,
        )
        there = count
        kept._known.clear()

        def ask() -> object:
            return search.search(WORDS, Asset.objects.all())

        before = memory()
        first, later = timed(ask), timed(ask, 20)
        PictureVector.objects.create(
            sha256=f"{there:064x}", model_sha256="c" * 64, vector=vectors[0].tobytes()
        )
        there += 1
        one_more = timed(ask)
        print(
            f"{count} vectors: first {first:.2f} s, later {later * 1000:.1f} ms, "
            f"with one new {one_more * 1000:.0f} ms, {memory() - before:.0f} MiB more memory"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--way", choices=["numpy", "torch", "vectors"])
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "site")]
    if options.way == "vectors":
        search_vectors(options.counts)
    elif options.way:
        read_words(options.clip, options.way)
    else:
        with tempfile.TemporaryDirectory() as place:
            folder = options.clip or write_clip(Path(place) / "clip")
            settings = {
                "DJANGO_SETTINGS_MODULE": "website.settings.demo",
                "IMAGEPIPE_VAR": place,
            }
            for way in ("numpy", "torch", "vectors"):
                command = [sys.executable, __file__, "--way", way, "--clip", str(folder)]
                counts = [str(count) for count in options.counts]
                subprocess.run([*command, *counts], check=True, env=os.environ | settings)


if __name__ == "__main__":
    main()
