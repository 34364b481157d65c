from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from imagepipe.registry.folders import content_sha256
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.models import RunState

pytest.importorskip("diffusers")


@pytest.mark.slow
@pytest.mark.django_db
def test_a_run_with_a_real_diffusion_pipeline(
    start, finish, template, tmp_path: Path, private_folder: Path
):
    from tests.generation.tiny_model import build_tiny_model

    folder = build_tiny_model(tmp_path / "tiny")
    call_command("imagepipe", "register-model", str(folder), "--licence", "MIT", "--allow")
    template.model = RegisteredModel.objects.get(slug="tiny")
    template.width = template.height = 128
    template.save()
    run = finish(start("dog", candidates=1, steps=4, seed=11, seed_policy="fixed"))
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    candidate = run.candidates.get()
    assert (candidate.width, candidate.height, candidate.seed) == (128, 128, 11)
    recipe = candidate.recipe
    assert (recipe["width"], recipe["height"]) == (64, 64)
    assert recipe["environment"]["backend"] == "diffusers"
    assert recipe["model"]["sha256"] == content_sha256(folder)
    assert recipe["environment"]["libraries"]["diffusers"]
    again = finish(start("dog", candidates=1, steps=4, seed=11, seed_policy="fixed"))
    assert again.steps.get(node="generate-00").attempt == 0
    assert (
        again.steps.get(node="generate-00").output["sha256"]
        == run.steps.get(node="generate-00").output["sha256"]
    )
