from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image

from imagepipe.registry.folders import content_sha256
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs, masks
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.conditions import AdapterWish, ControlWish
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.models import Candidate, Run, RunState
from imagepipe.workflow.source_pictures import SourcePicture

pytest.importorskip("diffusers")
MODELS = Path(__file__).resolve().parents[2] / "fixtures" / "models"


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


@pytest.mark.slow
def test_the_trained_models_edit_and_follow_together(editor, finish, root):
    for name in ("objects", "canny", "pastel", "mint"):
        call_command(
            "imagepipe", "register-model", str(MODELS / f"pocket-{name}"),
            "--licence", "MIT", "--allow",
        )  # fmt: skip
    model = RegisteredModel.objects.get(slug="pocket-objects")

    def make(**brief) -> Candidate:
        asked = {"candidates": 1, "seed": 3, "steps": 6, "width": 256, "height": 256} | brief
        run = Run(title="Panda", model=model)
        run = finish(StartRun(run, editor, brief=Brief(**asked)).execute())
        assert (run.state, run.error) == (RunState.SUCCEEDED, "")
        return run.candidates.get()

    plain = make(prompt="a panda on a blue background")
    source = SourcePicture.of_candidate(plain)
    adapters = (AdapterWish("pocket-pastel", 0.8), AdapterWish("pocket-mint"))
    guided = make(
        prompt="a fox on a <mint> background",
        controls=(ControlWish("pocket-canny", source, weight=0.9),),
        adapters=adapters,
    )
    kinds = [entry["kind"] for entry in guided.recipe["adapters"]]
    assert kinds == ["lora", "textual-inversion", "control-canny"]
    assert all(entry["sha256"] for entry in guided.recipe["adapters"])
    mask = masks.make((256, 256), boxes=[(0, 0, 0.5, 1)])
    fixed = make(
        prompt="a fox on a blue background",
        edit=Edit("inpaint", source, mask=mask, feather=4),
        adapters=adapters[:1],
    )
    before, after = (
        np.asarray(Image.open(io.BytesIO(blobs.read(made.sha256))).convert("RGB"))
        for made in (plain, fixed)
    )
    assert (before[:, 132:] == after[:, 132:]).all()
    assert (before[:, :128] != after[:, :128]).any(axis=2).mean() > 0.5
