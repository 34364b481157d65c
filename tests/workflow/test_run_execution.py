from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from imagepipe.workflow import blobs
from imagepipe.workflow.models import Candidate, RunState

pytestmark = pytest.mark.django_db


def test_a_run_offers_finished_candidates_with_recipes(start, finish):
    run = finish(start(seed=7, seed_policy="series"))
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert run.progress == 1
    assert run.finished_at is not None
    assert (run.lease_owner, run.lease_until) == ("", None)
    candidates = list(run.candidates.all())
    assert [c.state for c in candidates] == [Candidate.State.OFFERED] * 2, candidates[
        0
    ].findings
    assert [c.seed for c in candidates] == [7, 8]
    for candidate in candidates:
        content = blobs.read(candidate.sha256)
        assert hashlib.sha256(content).hexdigest() == candidate.sha256
        assert len(content) == candidate.byte_count
        assert (
            Image.open(io.BytesIO(content)).size
            == (192, 192)
            == (
                candidate.width,
                candidate.height,
            )
        )
        assert candidate.recipe["prompt"] == "a red teapot, soft light"
        assert candidate.recipe["template"]["variables"] == {"subject": "red teapot"}
        assert (candidate.recipe["width"], candidate.recipe["height"]) == (128, 128)
        assert [f["step"] for f in candidate.recipe["postproduction"]] == [
            "upscale-lanczos",
            "fit",
        ]
        assert {f["check"] for f in candidate.findings} == {"technical", "nsfw", "duplicates"}
    steps = list(run.steps.values_list("node", "state", "attempt"))
    assert steps == [
        (node, "succeeded", 1)
        for node in (
            "prompt-policy",
            "generate-00",
            "upscale-00",
            "finish-00",
            "checks-00",
            "offer-00",
            "generate-01",
            "upscale-01",
            "finish-01",
            "checks-01",
            "offer-01",
        )
    ]
