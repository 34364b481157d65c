"""Another model takes over when an engine cannot be used, and the picture says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imagepipe.generation.actions import CreateEngine, SwitchEngine
from imagepipe.generation.backends.fake import FakeBackend
from imagepipe.generation.capabilities import Capabilities
from imagepipe.generation.downgrades import downgrade, nearest_size
from imagepipe.generation.exceptions import UnsupportedRequest
from imagepipe.generation.models import Engine
from imagepipe.generation.recipe import Recipe
from imagepipe.generation.request import Adapter, Control, Mode, ModelReference, Request
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.unsupported import unsupported
from imagepipe.workflow import leases, runner
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief, native_size
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_models import EngineHealth
from tests.contracts.backend_suite_case import scene
from tests.engines.images_api_server import KEY, SIZES, ImagesAPIServer
from tests.engines.serving import Reply
from tests.workflow.conftest import (
    editor,
    key_folder,
    model,
    private_folder,
    root,
    template,
)

__all__ = ["editor", "key_folder", "model", "private_folder", "root", "template"]
pytestmark = pytest.mark.django_db
ROUTE = "/v1/images/generations"


@pytest.fixture
def server() -> Any:
    with ImagesAPIServer() as server:
        yield server


@pytest.fixture
def remote(server: ImagesAPIServer, root: Any) -> RegisteredModel:
    CreateEngine(
        Engine(name="images", kind="openai-images", address=server.address + "/v1",
               options={"sizes": list(SIZES)}),
        None,
        key=KEY,
    ).execute()  # fmt: skip
    return RegisteredModel.objects.create(
        slug="house", name="House", backend="images", location="gpt-image-2", licence="x",
        native_width=64, native_height=64, state=RegisteredModel.State.ALLOWED,
    )  # fmt: skip


@pytest.fixture
def go(editor: Any, root: Any) -> Callable[..., Run]:
    def go(model: RegisteredModel | None, **values: Any) -> Run:
        run = Run(title="Test", model=model, collection=root)
        brief = Brief(**({"prompt": "a red apple", "candidates": 1, "width": 64, "height": 64,
                          "steps": 4, "seed": 5} | values))  # fmt: skip
        run = StartRun(run, editor, brief=brief).execute()
        claimed = leases.claim("worker", run.uid.hex)
        if claimed is not None:
            runner.execute(claimed, "worker", heartbeat=False)
        run.refresh_from_db()
        return run

    return go


@pytest.fixture
def with_fallback(settings: Any, model: RegisteredModel, private_folder: Any) -> None:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"FALLBACKS": {"house": model.slug}}


def made(run: Run) -> dict[str, Any]:
    output = run.steps.get(node="generate-00").output
    assert output is not None
    return output


def test_an_engine_elsewhere_makes_the_picture_of_a_run(
    remote: RegisteredModel, go: Callable[..., Run]
) -> None:
    run = go(remote)
    assert run.state == RunState.SUCCEEDED, run.error
    recipe = Recipe.from_dict(made(run)["recipe"])
    assert (recipe.model.slug, recipe.environment.backend) == ("house", "openai-images")
    assert any("no seed" in warning for warning in recipe.warnings)
    assert KEY not in str(made(run)) + str(run.graph) + str(run.request)


def test_the_queue_waits_as_long_as_the_engine_asks_for(
    server: ImagesAPIServer, remote: RegisteredModel, go: Callable[..., Run]
) -> None:
    server.misbehave(ROUTE, Reply(429, headers={"Retry-After": "500"}))
    run = go(remote)
    assert run.state == RunState.QUEUED and run.error_code == "backend-busy"
    left = run.not_before - database_now()
    assert dt.timedelta(seconds=480) < left <= dt.timedelta(seconds=500)
    assert EngineHealth.objects.get(name="images").open_until > database_now()


@pytest.mark.parametrize("answer", [Reply(503), Reply(429), Reply(401)], ids=str)
def test_the_fallback_makes_what_the_engine_cannot(
    server: ImagesAPIServer, remote: RegisteredModel, go: Callable[..., Run],
    with_fallback: None, answer: Reply,
) -> None:  # fmt: skip
    server.misbehave(ROUTE, answer)
    run = go(remote)
    assert run.state == RunState.SUCCEEDED, run.error
    assert made(run)["fallback"] == "sketch"
    recipe = Recipe.from_dict(made(run)["recipe"])
    assert (recipe.model.slug, recipe.environment.backend) == ("sketch", "fake")
    assert recipe.warnings[0].startswith("“house” could not be asked: ")
    assert recipe.warnings[0].endswith("“sketch” made the picture.")
    assert KEY not in str(recipe.to_dict())
    if answer.status == 503:
        assert EngineHealth.objects.get(name="images").failures == 1


def test_runs_of_a_resting_or_full_or_disabled_engine_go_to_the_fallback(
    server: ImagesAPIServer, remote: RegisteredModel, go: Callable[..., Run],
    with_fallback: None,
) -> None:  # fmt: skip
    until = database_now() + dt.timedelta(minutes=5)
    health = EngineHealth.objects.create(name="images", failures=3, open_until=until)
    resting = go(remote)
    assert resting.state == RunState.SUCCEEDED and "rests" in str(made(resting)["warnings"])
    assert server.calls(ROUTE) == []
    health.delete()

    Engine.objects.update(concurrent=1)
    busy = Run.objects.create(
        title="x", graph={}, graph_sha256="", model=remote, state=RunState.RUNNING,
        started_at=database_now(), lease_until=until, lease_owner="other",
    )  # fmt: skip
    assert "as much to do" in str(made(go(remote))["warnings"])
    busy.delete()
    assert "fallback" not in made(go(remote))

    SwitchEngine(Engine.objects.get(), None, on=False).execute()
    assert "is disabled" in str(made(go(remote, seed=6))["warnings"])


def test_without_a_fallback_a_resting_engine_is_waited_for(
    remote: RegisteredModel, go: Callable[..., Run]
) -> None:
    until = database_now() + dt.timedelta(minutes=5)
    EngineHealth.objects.create(name="images", failures=3, open_until=until)
    assert go(remote).state == RunState.QUEUED


def test_a_picture_of_the_fallback_is_not_taken_over_by_other_runs(
    server: ImagesAPIServer, remote: RegisteredModel, go: Callable[..., Run],
    with_fallback: None,
) -> None:  # fmt: skip
    server.misbehave(ROUTE, Reply(503))
    assert "fallback" in made(go(remote))
    assert "fallback" not in made(go(remote))


def test_a_route_names_the_model_for_a_purpose(
    settings: Any, model: RegisteredModel, go: Callable[..., Run], private_folder: Any
) -> None:
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"ROUTES": {"ideation": "sketch"}}
    assert go(None, purpose="ideation").model == model
    with pytest.raises(InvalidBrief, match="Choose a model"):
        go(None)
    with pytest.raises(InvalidBrief, match="unknown"):
        go(None, purpose="fun")


def test_a_brief_gets_a_size_that_the_engine_makes(remote: RegisteredModel) -> None:
    assert native_size(1600, 900, remote) == (96, 64)
    assert native_size(300, 310, remote) == (64, 64)
    assert nearest_size(9, 16, ((64, 64), (64, 96), (640, 960))) == (640, 960)


def test_what_is_lost_is_said_and_what_matters_is_never_lost() -> None:
    few = Capabilities(
        schedulers=("b",), max_steps=20, supports_negative=False, native_sizes=((64, 64),),
        only_native_sizes=True,
    )  # fmt: skip
    asked = Request(
        "a", "m", 1, 128, 72, negative_prompt="b", steps=50, guidance_rescale=0.5,
        scheduler="a", adapters=(Adapter("x", "x"),),
    )  # fmt: skip
    smaller, lost = downgrade(asked, few)
    few.check(smaller)
    assert smaller == Request("a", "m", 1, 64, 64, steps=20)
    assert len(lost) == 6
    assert downgrade(smaller, few) == (smaller, ())
    edges = Control("canny", scene(8, 8), ModelReference("c"))
    for impossible in (
        replace(asked, controls=(edges,)),
        replace(asked, mode=Mode.IMAGE_TO_IMAGE, init_image=b"x"),
    ):
        with pytest.raises(UnsupportedRequest):
            downgrade(impossible, few)


def test_the_form_says_what_an_engine_cannot_do() -> None:
    assert unsupported(FakeBackend().capabilities()) == {}
    found = unsupported(Capabilities(supports_seed=False, supports_negative=False))
    assert {"seed", "negative", "init_image", "mask", "adapters"} <= set(found)
    assert "Not reproducible" in found["seed"]
