"""Replays of everything that goes in beside words: pictures, masks, controls, adapters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from wagtail.models import Collection

from imagepipe.assets.models import AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs, masks
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.conditions import AdapterWish, ControlWish
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.frames import to_shape
from imagepipe.workflow.models import Candidate, Run, StepRun
from imagepipe.workflow.replay_actions import ReplayVersion
from imagepipe.workflow.source_pictures import SourcePicture
from tests.workflow.test_edits import BOX, companion, picture, upload
from tests.workflow.test_replay import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(root: Collection, editor: User) -> SourcePicture:
    return SourcePicture.of_version(upload(picture(), editor))


@pytest.fixture
def made(
    model: RegisteredModel, editor: User, finish: Callable[[Run], Run]
) -> Callable[..., AssetVersion]:
    """A version that was made so; whatever the checks say of it."""

    def made(**brief: Any) -> AssetVersion:
        asked = {"prompt": "a blue boat", "candidates": 1, "seed": 5} | brief
        run = Run(title="Harbour", model=model)
        finish(StartRun(run, editor, brief=Brief(**asked)).execute())
        assert run.state == "succeeded", run.error
        Candidate.objects.filter(run=run).update(state="offered")
        return AcceptCandidate(run.candidates.get(), editor).execute()

    return made


@pytest.fixture
def replay(finish: Callable[[Run], Run]) -> Callable[[AssetVersion], dict[str, Any]]:
    def replay(version: AssetVersion) -> dict[str, Any]:
        run = finish(ReplayVersion(version, None).execute())
        assert (run.state, run.error) == ("succeeded", "")
        return run.steps.get().output

    return replay


def mask_of(source: SourcePicture) -> str:
    return masks.make((source.width, source.height), boxes=[BOX])


@pytest.mark.parametrize("mode", ["image-to-image", "inpaint", "outpaint", "ground"])
def test_edits_are_replayed_bit_for_bit(
    mode: str,
    source: SourcePicture,
    made: Callable[..., AssetVersion],
    replay: Callable[[AssetVersion], dict[str, Any]],
) -> None:
    more: dict[str, Any] = {
        "image-to-image": {"strength": 0.4},
        "inpaint": {"mask": mask_of(source)},
        "outpaint": {"frames": (to_shape((320, 240), "1:1"),)},
        "ground": {"frames": (to_shape((320, 240), "1:1"),), "ground": True},
    }[mode]
    asked = "outpaint" if mode == "ground" else mode
    version = made(edit=Edit(asked, source, **more))
    assert version.recipe["mode"] == asked
    output = replay(version)
    assert (output["verdict"], output["basis"]) == ("bit-exact", "file")


def test_controls_and_adapters_are_replayed(
    source: SourcePicture,
    made: Callable[..., AssetVersion],
    replay: Callable[[AssetVersion], dict[str, Any]],
) -> None:
    companion("controlnet", "house-canny")
    companion("lora", "pastel")
    companion("embedding", "mint")
    version = made(
        controls=(ControlWish("house-canny", source, weight=0.8, end=0.5),),
        adapters=(AdapterWish("pastel", 0.7), AdapterWish("mint")),
    )
    assert replay(version)["verdict"] == "bit-exact"
    RegisteredModel.objects.filter(slug="pastel").update(state="registered")
    output = replay(version)
    assert (output["verdict"], output["refusal"]["name"]) == ("refused", "pastel")
    RegisteredModel.objects.filter(slug="pastel").update(state="allowed", sha256="0" * 64)
    output = replay(version)
    assert (output["refusal"]["code"], output["refusal"]["now"]) == ("weights", "0" * 64)


def test_a_source_that_is_gone_is_named(
    source: SourcePicture,
    made: Callable[..., AssetVersion],
    replay: Callable[[AssetVersion], dict[str, Any]],
    private_folder: Any,
) -> None:
    version = made(edit=Edit("inpaint", source, mask=mask_of(source)))
    gone = version.recipe["sources"][1]
    (private_folder / blobs.blob_name(gone)).unlink()
    output = replay(version)
    assert output["refusal"] == {
        "code": "picture-missing", "name": "", "then": gone, "now": "",
    }  # fmt: skip


def test_a_recipe_proves_a_picture_when_everything_else_of_its_run_is_gone(
    made: Callable[..., AssetVersion],
    replay: Callable[[AssetVersion], dict[str, Any]],
    private_folder: Any,
) -> None:
    version = made()
    raw = version.recipe["picture_sha256"]
    assert StepRun.objects.get(kind="generate").output["sha256"] == raw
    StepRun.objects.update(output=None)
    (private_folder / blobs.blob_name(raw)).unlink()
    output = replay(version)
    assert (output["verdict"], output["basis"]) == ("bit-exact", "file")


def test_an_old_recipe_of_an_edit_has_nothing_to_compare_with(
    source: SourcePicture,
    made: Callable[..., AssetVersion],
    replay: Callable[[AssetVersion], dict[str, Any]],
) -> None:
    version = made(edit=Edit("inpaint", source, mask=mask_of(source)))
    version = record(version, picture_sha256="")
    assert replay(version)["verdict"] == "bit-exact"
    StepRun.objects.filter(kind="generate").update(output=None)
    assert replay(version)["refusal"]["code"] == "original-missing"
