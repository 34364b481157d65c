from __future__ import annotations

import json
import random
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
TRAINING = ROOT / "fixtures/models/training"
LISTS = json.loads((ROOT / "fixtures/prompts/heldout.json").read_text("utf-8"))


@pytest.fixture
def composition(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("diffusers")
    monkeypatch.syspath_prepend(str(TRAINING))
    import composition

    return composition


def test_there_are_enough_prompts_over_enough_subjects() -> None:
    prompts = LISTS["prompts"]
    assert len({entry["prompt"] for entry in prompts}) == len(prompts) >= 300
    assert len({entry["subject"] for entry in prompts}) >= 40
    assert {len([e for e in prompts if e["subject"] == s]) for s in ("fox", "key")} == {7}


def test_training_captions_hold_no_held_out_combination(composition: ModuleType) -> None:
    held_out = {entry["prompt"] for key in ("prompts", "further") for entry in LISTS[key]}
    rng = random.Random(99)
    briefs = [composition.draw_brief(rng) for _ in range(20_000)]
    said = {composition.replace(brief, suffix="").words() for brief in briefs}
    assert len(said) > 3_000
    assert not said & held_out


def test_the_words_of_a_brief(composition: ModuleType) -> None:
    brief = composition.Brief
    assert brief("owl", "orange").words() == "an owl on an orange background"
    assert (
        brief("strawberry", "blue", count=3, pattern="dotted").words("a 3d render of ")
        == "a 3d render of three strawberries on a blue dotted background"
    )
    assert (
        brief("car", "white", "small", "left", "red", suffix=", soft light").words()
        == "a small red car on the left of a white background, soft light"
    )
    assert brief("fox", "", scene="in the snow").words() == "a fox in the snow"
