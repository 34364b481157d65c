"""The small CLIP of this repository, alone and as the check ``prompt-match``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagepipe.quality.prompt_match import similarity
from imagepipe.quality.protocol import Outcome
from imagepipe.quality.registry import build

FIXTURES = Path(__file__).parents[2] / "fixtures"
CLIP = FIXTURES / "models/pocket-clip"


def held_out_pairs() -> list[tuple[Image.Image, str]]:
    lists = json.loads((FIXTURES / "prompts/heldout.json").read_text("utf-8"))
    texts = [entry["prompt"] for entry in (*lists["prompts"], *lists["further"])]
    sheet = Image.open(FIXTURES / "prompts/heldout-pairs.webp").convert("RGB")
    cells = [(i % 8 * 128, i // 8 * 128) for i in range(64)]
    return [
        (sheet.crop((x, y, x + 128, y + 128)), texts[7 * i]) for i, (x, y) in enumerate(cells)
    ]


def test_a_text_finds_its_picture_among_the_first_five() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    options = {"local_files_only": True}
    model = transformers.CLIPModel.from_pretrained(CLIP, dtype=torch.float32, **options).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(CLIP, **options)
    processor = transformers.CLIPImageProcessorPil.from_pretrained(CLIP, **options)
    pictures, texts = zip(*held_out_pairs(), strict=True)
    tokens = tokenizer(list(texts), padding="max_length", truncation=True, return_tensors="pt")
    pixels = processor(images=list(pictures), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        found = model(input_ids=tokens["input_ids"], pixel_values=pixels)
    scores = found.logits_per_text.numpy()
    ranks = (scores > np.diag(scores)[:, None]).sum(1)
    chance = 5 / len(texts)
    assert (ranks < 5).mean() > max(0.7, 5 * chance)


def test_the_features_are_those_that_open_clip_is_compared_with() -> None:
    """``.ci/openclip_model.py`` compares the same numbers where open_clip is installed."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    document = json.loads((FIXTURES / "vectors/pocket-clip.json").read_text("utf-8"))
    pairs = held_out_pairs()
    for expected in document["pairs"]:
        picture, text = pairs[expected["cell"]]
        assert text == expected["text"]
        image, words = (torch.tensor(expected[name]) for name in ("image", "words"))
        cosine = float(image @ words)
        assert cosine == pytest.approx(similarity(picture, text, CLIP), abs=1e-3)


def test_the_right_prompt_scores_higher_than_another() -> None:
    pytest.importorskip("transformers")
    pairs = held_out_pairs()[:16]
    right = [similarity(picture, text, CLIP) for picture, text in pairs]
    wrong = [similarity(picture, pairs[i - 5][1], CLIP) for i, (picture, _) in enumerate(pairs)]
    assert np.mean(np.array(right) > np.array(wrong)) >= 0.85


def test_a_low_score_is_said_and_never_refused() -> None:
    pytest.importorskip("transformers")
    picture, text = held_out_pairs()[0]
    sure = build("prompt-match", prompt=text, folder=CLIP, threshold=-1).check(picture)
    unsure = build("prompt-match", prompt=text, folder=CLIP, threshold=1).check(picture)
    assert (sure.outcome, sure.code) == (Outcome.PASSED, "matches-prompt")
    assert (unsure.outcome, unsure.code) == (Outcome.PASSED, "may-not-match")
    assert sure.score == unsure.score


def test_without_the_model_the_check_is_skipped(tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 64))
    finding = build("prompt-match", prompt="a fox", folder=tmp_path).check(picture)
    assert (finding.outcome, finding.code) == (Outcome.SKIPPED, "unavailable")
    with pytest.raises(ValueError, match="threshold"):
        build("prompt-match", prompt="a fox", folder=tmp_path, threshold=3)
