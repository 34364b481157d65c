from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import models
from PIL import Image

from imagepipe.assets.models import AssetVersion
from imagepipe.audit.models import AuditEvent
from imagepipe.exceptions import InvalidState
from imagepipe.generation.canonical import canonical_json
from imagepipe.generation.recipe import Recipe
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow import blobs, replay_reasons
from imagepipe.workflow.actions import AcceptCandidate, RetryRun
from imagepipe.workflow.models import Candidate, Run, StepRun
from imagepipe.workflow.replay_actions import ReplayVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(
    start: Callable[..., Run], finish: Callable[[Run], Run], editor: User
) -> AssetVersion:
    run = finish(start(candidates=1, seed=7, seed_policy="fixed"))
    return AcceptCandidate(run.candidates.get(), editor).execute()


@pytest.fixture
def replay(finish: Callable[[Run], Run]) -> Callable[..., dict[str, Any]]:
    def replay(version: AssetVersion, **options: Any) -> dict[str, Any]:
        run = finish(ReplayVersion(version, None, **options).execute())
        assert (run.state, run.error) == ("succeeded", "")
        return run.steps.get().output

    return replay


def record(version: AssetVersion, **changes: Any) -> AssetVersion:
    """The same version with another recorded recipe; no product code can do this."""
    document = version.recipe | changes
    rows: models.QuerySet[AssetVersion] = AssetVersion.objects.filter(pk=version.pk)
    rows.update(recipe=document, recipe_sha256=Recipe.from_dict(document).sha256)
    return AssetVersion.objects.get(pk=version.pk)


def test_a_replay_is_bit_exact_and_changes_nothing(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    before = AssetVersion.objects.values().get()
    candidates = Candidate.objects.count()
    output = replay(version)
    raw = StepRun.objects.get(kind="generate").output["sha256"]
    assert (output["verdict"], output["basis"]) == ("bit-exact", "file")
    assert (output["sha256"], output["original_sha256"]) == (raw, raw)
    assert replay_reasons.reason(output) == "Everything was as recorded."
    assert AssetVersion.objects.values().get() == before
    assert Candidate.objects.count() == candidates


def test_the_picture_is_really_made_again(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    """A recipe with another seed leads to another picture, which is kept as evidence."""
    changed = record(version, guidance=9.5)
    output = replay(changed)
    assert output["verdict"] == "diverged"
    assert output["ssim"] < 0.98
    assert output["sha256"] != output["original_sha256"]
    Image.open(io.BytesIO(blobs.read(output["sha256"]))).verify()
    assert "the recipe does not hold everything" in replay_reasons.reason(output)
    assert "sha256" not in replay(changed, keep=False)


def test_without_the_raw_picture_the_master_is_compared(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    version = record(version, picture_sha256="")
    StepRun.objects.filter(kind="generate").update(output=None)
    assert (version.width, version.recipe["width"]) == (192, 128)
    output = replay(version)
    assert (output["verdict"], output["basis"]) == ("bit-exact", "master")


def test_another_recorded_library_is_named(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    environment = version.recipe["environment"]
    environment["libraries"] |= {"Pillow": "1.0"}
    output = replay(record(version, environment=environment, guidance=9.5))
    now = Image.__version__
    assert replay_reasons.reason(output) == (
        f"The likely reason: Pillow: 1.0 then, {now} now."
    )
    output = replay(record(version, environment=environment, guidance=4))
    assert output["verdict"] == "bit-exact"
    assert replay_reasons.reason(output) == (
        f"This made no difference: Pillow: 1.0 then, {now} now."
    )


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"sources": ["0" * 64], "mode": "image-to-image"}, "picture-missing", "SHA-256 0000"),
        ({"mode": "sculpture"}, "impossible", "“sculpture” is not a kind of generation"),
        ({"environment": {"scheduler": "none"}}, "impossible", "scheduler “none” is unknown"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(
    version: AssetVersion,
    replay: Callable[..., dict[str, Any]],
    change: dict[str, Any],
    code: str,
    says: str,
) -> None:
    if "environment" in change:
        change["environment"] = version.recipe["environment"] | change["environment"]
    output = replay(record(version, **change))
    assert (output["verdict"], output["refusal"]["code"]) == ("refused", code)
    assert says in replay_reasons.reason(output)
    assert replay_reasons.measures(output) == ""


def test_a_recipe_that_was_tampered_with_is_refused(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    rows: models.QuerySet[AssetVersion] = AssetVersion.objects.filter(pk=version.pk)
    rows.update(recipe=version.recipe | {"seed": 8})
    output = replay(AssetVersion.objects.get(pk=version.pk))
    assert output["refusal"]["code"] == "recipe-changed"


def test_a_retired_model_may_prove_its_pictures_and_an_unknown_one_is_named(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    RegisteredModel.objects.update(state="retired")
    assert replay(version)["verdict"] == "bit-exact"
    RegisteredModel.objects.update(state="registered")
    output = replay(version)
    assert output["refusal"]["code"] == "model-missing"
    assert "“sketch” is not registered here, or not allowed" in replay_reasons.reason(output)


def test_who_may_not_generate_may_not_replay(version: AssetVersion) -> None:
    for stranger in (AnonymousUser(), User.objects.create_user("stranger")):
        with pytest.raises(PermissionDenied):
            ReplayVersion(version, stranger).execute()
    assert not version.replays.exists()


def test_asking_twice_queues_one_run_and_both_are_written_down(
    version: AssetVersion, editor: User, finish: Callable[[Run], Run]
) -> None:
    run = ReplayVersion(version, editor).execute()
    assert ReplayVersion(version, editor).execute() == run
    assert ReplayVersion(version, editor, as_installed=True).execute() != run
    events = AuditEvent.objects.filter(action="imagepipe.replay")
    assert [event.data["run"] == run.uid.hex for event in events.order_by("pk")] == [
        True, True, False,
    ]  # fmt: skip
    finish(run)
    assert ReplayVersion(version, editor).execute() != run


def test_a_replay_that_was_cancelled_can_be_repeated(
    version: AssetVersion, editor: User, finish: Callable[[Run], Run]
) -> None:
    run = ReplayVersion(version, editor).execute()
    Run.objects.filter(pk=run.pk).update(state="cancelled")
    repeated = RetryRun(run, editor).execute()
    assert repeated.replay_of == version
    assert finish(repeated).steps.get().output["verdict"] == "bit-exact"


def test_an_uploaded_picture_has_no_recipe(version: AssetVersion, editor: User) -> None:
    rows: models.QuerySet[AssetVersion] = AssetVersion.objects.filter(pk=version.pk)
    rows.update(recipe=None)
    with pytest.raises(InvalidState, match="no recipe"):
        ReplayVersion(AssetVersion.objects.get(pk=version.pk), editor).execute()


def test_the_command_names_verdict_and_reason(version: AssetVersion) -> None:
    written = io.StringIO()
    call_command("imagepipe", "replay", version.asset.uid.hex, stdout=written)
    assert written.getvalue().splitlines() == [
        "Bit-exact",
        "Every byte of the raw picture is the same.",
        "Everything was as recorded.",
    ]
    changed = record(version, guidance=9.5)
    written = io.StringIO()
    with pytest.raises(CommandError, match="was not made again") as failure:
        call_command("imagepipe", "replay", changed.sha256[:12], "--json", stdout=written)
    assert failure.value.returncode == 3
    assert '"verdict": "diverged"' in written.getvalue()
    with pytest.raises(CommandError, match="no generated version"):
        call_command("imagepipe", "replay", f"{version.asset.uid}/9")
    with pytest.raises(CommandError, match="Name a picture"):
        call_command("imagepipe", "replay", "../x")


def test_the_output_is_plain_json(
    version: AssetVersion, replay: Callable[..., dict[str, Any]]
) -> None:
    assert canonical_json(replay(version))
