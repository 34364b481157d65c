from __future__ import annotations

from pathlib import Path

import pytest
from django.test import override_settings

CLIP = Path(__file__).parents[2] / "fixtures/models/pocket-clip"

pytestmark = pytest.mark.django_db


def test_the_match_is_shown_and_refuses_nothing(start, finish, settings) -> None:
    pytest.importorskip("transformers")
    options = {"folder": CLIP, "threshold": 1.0}
    with override_settings(IMAGEPIPE=settings.IMAGEPIPE | {"PROMPT_MATCH": options}):
        run = start(candidates=1)
        finish(run)
    candidate = run.candidates.get()
    (found,) = [f for f in candidate.findings if f["check"] == "prompt-match"]
    assert (found["outcome"], found["code"]) == ("passed", "may-not-match")
    assert -1 <= found["score"] <= 1
    assert candidate.state == "offered"
