from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from imagepipe.generation.backends import registry as backends
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.exceptions import InvalidPicture, OutOfMemory
from imagepipe.prompts.exceptions import EmptyPrompt, PromptTooLong
from imagepipe.workflow import leases, runner
from imagepipe.workflow.actions import CancelRun, RetryRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Candidate, Run, RunState, StepRun

pytestmark = pytest.mark.django_db


class Planted(FakeBackend):
    """Answers with a picture of the test's choice, and counts."""

    def __init__(self, picture: Any = None, error: Exception | None = None) -> None:
        super().__init__()
        self.picture, self.error, self.calls = picture, error, 0

    def generate(self, request: Any, model: Any, on_step: Any = None) -> Any:
        self.calls += 1
        if self.error is not None:
            raise self.error
        result = super().generate(request, model, on_step)
        if self.picture is None:
            return result
        output = io.BytesIO()
        self.picture(request).save(output, "PNG")
        return type(result)(
            **{n: getattr(result, n) for n in result.__slots__} | {"png": output.getvalue()}
        )


@pytest.fixture
def plant():
    def plant(picture: Any = None, error: Exception | None = None) -> Planted:
        backend = Planted(picture, error)
        backends.register("fake", lambda **options: backend)
        return backend

    yield plant
    backends.register("fake", "imagepipe.generation.backends.fake:FakeBackend")


def noise(request: Any) -> Image.Image:
    import numpy as np

    values = np.random.default_rng(request.seed).integers(0, 256, (128, 128, 3), "uint8")
    return Image.fromarray(values).resize((request.width, request.height))


def test_a_denied_prompt_is_refused_with_reasons_before_anything_is_generated(
    start, finish, plant
):
    backend = plant()
    run = finish(start("nude person"))
    assert (run.state, run.error_code) == (RunState.FAILED, "prompt-refused")
    assert run.error.startswith("The prompt was refused, nothing was generated. “n••e”")
    assert "Traceback" not in run.error
    assert backend.calls == 0
    assert run.candidates.count() == 0
    assert list(run.steps.values_list("node", "state")) == [("prompt-policy", "failed")]


def test_planted_noise_is_refused_with_the_reason(start, finish, plant):
    plant(noise)
    run = finish(start(candidates=1, width=128, height=128))
    assert run.state == RunState.SUCCEEDED
    candidate = run.candidates.get()
    assert candidate.state == Candidate.State.REFUSED
    refused = [f for f in candidate.findings if f["outcome"] == "refused"]
    assert [(f["check"], f["code"]) for f in refused] == [("technical", "noise")]
    assert "mostly noise" in refused[0]["message"]


def test_a_planted_duplicate_of_the_same_run_is_refused(start, finish, plant):
    picture = FakeBackend()
    fixed: dict[str, Image.Image] = {}

    def same(request: Any) -> Image.Image:
        if "one" not in fixed:
            fixed["one"] = picture.generate(request, _reference()).image()
        return fixed["one"]

    plant(same)
    run = finish(start(candidates=2))
    first, second = run.candidates.all()
    assert first.state == Candidate.State.OFFERED
    assert second.state == Candidate.State.REFUSED
    refused = [f for f in second.findings if f["outcome"] == "refused"]
    assert [(f["check"], f["details"]["duplicate_of"]) for f in refused] == [
        ("duplicates", "Teapot #1")
    ]


def test_a_duplicate_of_another_runs_offer_is_refused(start, finish):
    first = finish(start(seed=5, seed_policy="fixed", candidates=1, title="First"))
    assert first.candidates.get().state == Candidate.State.OFFERED
    second = finish(start(seed=5, seed_policy="fixed", candidates=1, title="Second"))
    refused = second.candidates.get()
    assert refused.state == Candidate.State.REFUSED
    assert "“First #1”" in refused.findings[-1]["message"]
    # The same words and seed are the same work: nothing was computed again.
    assert second.steps.get(node="generate-00").attempt == 0


def test_a_duplicate_of_a_rejected_picture_is_welcome(start, finish):
    first = finish(start(seed=5, seed_policy="fixed", candidates=1))
    first.candidates.update(state=Candidate.State.REJECTED)
    again = finish(start(seed=5, seed_policy="fixed", candidates=1))
    assert again.candidates.get().state == Candidate.State.OFFERED


@pytest.mark.parametrize(
    ("subject", "error", "message"),
    [
        ("x" * 50_000, PromptTooLong, "at most 2000 are possible"),
    ],
)
def test_a_prompt_out_of_bounds_never_becomes_a_run(start, subject, error, message):
    with pytest.raises(error, match=message):
        start(subject)
    assert Run.objects.count() == 0


def test_an_empty_prompt_never_becomes_a_run(start, template):
    template.subject, template.light = "{subject}", ""
    template.save()
    with pytest.raises(EmptyPrompt, match="Say what the picture shall show"):
        start("  ")
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    ("brief", "field"),
    [
        ({"width": 0}, "width"), ({"width": 8192 * 2}, "width"), ({"height": True}, "height"),
        ({"steps": 1000}, "steps"), ({"guidance": float("nan")}, "guidance"),
        ({"candidates": 17}, "candidates"), ({"candidates": 0}, "candidates"),
        ({"seed": -1}, "seed"), ({"seed": 2**60}, "seed"),
        ({"seed_policy": "dice"}, "seed_policy"),
    ],
)  # fmt: skip
def test_parameters_out_of_bounds_name_their_field(start, brief, field):
    with pytest.raises(InvalidBrief) as caught:
        start(**brief)
    assert caught.value.field == field
    assert Run.objects.count() == 0


def test_only_allowed_models_are_used(start, model):
    model.state = "retired"
    model.save()
    with pytest.raises(InvalidBrief, match="not allowed for production") as caught:
        start()
    assert caught.value.field == "model"


def test_a_backends_error_ends_the_run_with_its_code_and_sentence(start, finish, plant):
    plant(error=InvalidPicture("The model answered with nothing."))
    run = finish(start())
    assert (run.state, run.error_code) == (RunState.FAILED, "invalid-picture")
    assert run.error == "The model answered with nothing."
    step = run.steps.get(node="generate-00")
    assert (step.state, step.error) == (RunState.FAILED, run.error)


def test_an_unexpected_error_shows_no_stack_trace(start, finish, plant, caplog):
    plant(error=ZeroDivisionError("secret detail"))
    run = finish(start())
    assert (run.state, run.error_code) == (RunState.FAILED, "internal-error")
    assert "secret" not in run.error
    assert run.uid.hex in run.error
    assert "ZeroDivisionError" in caplog.text


def test_a_passing_failure_is_tried_again_up_to_the_limit(start, plant, settings):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"RETRY_SECONDS": 0}
    backend = plant(error=OutOfMemory("Not enough memory."))
    run = start(candidates=1)
    for attempt in (1, 2, 3):
        claimed = leases.claim(leases.new_owner())
        assert (claimed.pk, claimed.attempt) == (run.pk, attempt)
        runner.execute(claimed, claimed.lease_owner, heartbeat=False)
    run.refresh_from_db()
    assert (run.state, run.error_code, backend.calls) == (RunState.FAILED, "out-of-memory", 3)


def test_a_retry_is_a_new_run_that_takes_over_finished_work(start, finish, plant, editor):
    backend = plant()
    failing = start(candidates=2, seed=1, seed_policy="series")
    real, count = backend.generate, []

    def second_fails(request: Any, model: Any, on_step: Any = None) -> Any:
        count.append(request.seed)
        if len(count) == 2:
            raise InvalidPicture("Nothing came.")
        return real(request, model, on_step)

    backend.generate = second_fails  # type: ignore[method-assign]
    failing = finish(failing)
    assert failing.state == RunState.FAILED
    retried = RetryRun(failing, editor).execute()
    assert (retried.retry_of, retried.graph_sha256) == (failing, failing.graph_sha256)
    retried = finish(retried)
    assert retried.state == RunState.SUCCEEDED
    assert count == [1, 2, 2]
    assert [c.state for c in retried.candidates.all()] == [Candidate.State.OFFERED] * 2
    assert failing.retries.get() == retried


def test_a_finished_run_cannot_be_retried_or_cancelled(start, finish, editor):
    from imagepipe.exceptions import InvalidState

    run = finish(start(candidates=1))
    with pytest.raises(InvalidState, match="Only a failed or cancelled run"):
        RetryRun(run, editor).execute()
    with pytest.raises(InvalidState, match="“Finished”"):
        CancelRun(run, editor).execute()


def test_damaged_work_of_a_crash_is_made_again(start, finish, private_folder):
    run = start(candidates=1, seed=3, seed_policy="fixed")
    run = finish(run)
    step = StepRun.objects.get(run=run, node="generate-00")
    from imagepipe.workflow import blobs

    path = private_folder / blobs.blob_name(step.output["sha256"])
    path.write_bytes(path.read_bytes()[:100])
    run.candidates.update(state=Candidate.State.REJECTED)
    again = finish(start(candidates=1, seed=3, seed_policy="fixed"))
    assert again.state == RunState.SUCCEEDED
    assert again.steps.get(node="generate-00").attempt == 1


def test_a_changed_graph_is_not_executed(start, finish):
    run = start()
    Run.objects.filter(pk=run.pk).update(graph_sha256="0" * 64)
    run = finish(run)
    assert (run.state, run.error_code) == (RunState.FAILED, "invalid-graph")


def test_the_brief_is_kept_with_the_run(start):
    run = start("fox", candidates=3, seed=9, seed_policy="series")
    assert run.request["prompt_used"] == "a fox, soft light"
    assert run.request["seeds"] == [9, 10, 11]
    assert Brief.from_dict(run.request).variables == {"subject": "fox"}


def _reference() -> Any:
    from imagepipe.generation.request import ModelReference

    return ModelReference("sketch")


def test_pictures_of_runs_with_the_same_title_are_all_known(start, finish):
    """“More like this” keeps the title; a later run must not hide an earlier one's pictures."""
    first = finish(start(seed=5, seed_policy="fixed", candidates=1))
    finish(start(seed=6, seed_policy="fixed", candidates=1))
    again = finish(start(seed=5, seed_policy="fixed", candidates=1))
    assert len({run.title for run in (first, again)}) == 1
    assert again.candidates.get().state == Candidate.State.REFUSED
