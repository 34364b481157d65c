"""``manage.py imagepipe graph``, and who may start a graph of their own."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from imagepipe.audit.models import AuditEvent
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.exceptions import InvalidBrief, InvalidGraph
from imagepipe.workflow.graph_actions import StartGraph, read
from imagepipe.workflow.models import Run, RunState

pytestmark = pytest.mark.django_db
SMALL = {"width": 64, "height": 64}


def step(kind: str, params: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return {"kind": kind, "params": params or {}, "inputs": inputs}


def styles(*names: str, model: Any = "sketch") -> dict[str, Any]:
    """One picture per style, by a matrix over a graph within the graph."""
    prompt = "a red teapot"
    make = {"model": model, "prompt": {"$param": "prompt"}, "steps": 4}
    picture = {
        "nodes": {
            "policy": step("prompt-policy", {"prompt": {"$param": "prompt"}}),
            "make": step("generate", make, policy="policy"),
            "large": step("upscale", SMALL, picture="make"),
            "marked": step("finish", picture="large"),
            "checked": step("checks", picture="marked"),
            "offered": step("offer", picture="marked", checks="checked"),
        },
        "output": "offered",
    }
    prompts = [f"{prompt}, {name}" for name in names]
    set_ = {"graph": "picture", "params": {}, "inputs": {}, "matrix": {"prompt": prompts}}
    return {"schema": 1, "graphs": {"picture": picture}, "nodes": {"set": set_}}


def graph(*arguments: str) -> str:
    out = io.StringIO()
    call_command("imagepipe", "graph", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def written(tmp_path: Path):
    def written(definition: Any) -> str:
        file = tmp_path / "styles.json"
        file.write_text(definition if isinstance(definition, str) else json.dumps(definition))
        return str(file)

    return written


def test_a_matrix_of_styles_makes_a_candidate_each(model, finish, written):
    file = written(styles("ink", "oil", "chalk"))
    checked = graph("check", file)
    assert "set-02-offered  offer  ← set-02-checked, set-02-marked" in checked
    assert "18 steps." in checked and not Run.objects.exists()
    said = graph("start", file, "--title", "Styles")
    run = Run.objects.get()
    assert said.split() == [run.uid.hex[:8], "Waiting", "Styles"]
    assert (run.model, run.request["seeds"]) == (model, [None] * 3)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.data["models"]) == ("imagepipe.run.start_graph", ["sketch"])
    assert finish(run).state == RunState.SUCCEEDED, run.error
    made = [(c.index, c.recipe["prompt"]) for c in run.candidates.order_by("index")]
    assert made == [(i, f"a red teapot, {s}") for i, s in enumerate(("ink", "oil", "chalk"))]


def test_the_example_in_the_documentation_is_sound(model):
    RegisteredModel.objects.update(slug="pocket-objects")
    text = (Path(__file__).parents[2] / "docs/reference/runs.md").read_text("utf-8")
    [example] = [json.loads(block.partition("```")[0]) for block in text.split("```json")[1:]]
    made = read(example, "Mugs")
    assert len(made.nodes) == 18
    assert {node.params["steps"] for node in made.nodes if node.kind == "generate"} == {6}


def test_the_graph_of_a_run_can_be_started_again(model, start, finish, written):
    first = finish(start(candidates=2))
    shown = graph("show", first.uid.hex[:8])
    assert json.loads(shown) == first.graph
    graph("start", written(shown))
    again = finish(Run.objects.latest("pk"))
    assert again.title == "styles" and again.graph_sha256 == first.graph_sha256
    assert again.steps.get(node="generate-00").source == "reused"


def test_only_those_who_administer_the_site_start_one(model, editor):
    person = User.objects.create_user("gerd")
    for user, run in ((person, Run(title="x")), (editor, Run(title="y"))):
        action = StartGraph(run, user, definition=styles("ink"))
        if user is editor:
            assert action.execute().created_by == editor
        else:
            with pytest.raises(PermissionDenied):
                action.execute()
    assert Run.objects.count() == 1


def test_files_of_models_are_those_of_the_registry(model):
    facts = {"slug": "sketch", "location": "/etc", "backend": "diffusers"}
    made = next(n for n in read(styles("ink", model=facts)).nodes if n.kind == "generate")
    assert (made.params["model"]["location"], made.params["model"]["backend"]) == (
        "fake", "fake",
    )  # fmt: skip
    RegisteredModel.objects.update(state=RegisteredModel.State.REGISTERED)
    with pytest.raises(InvalidBrief, match="not allowed for production"):
        read(styles("ink"))


@pytest.mark.parametrize("named", [None, 7, ["sketch"], {"location": "fake"}])
def test_a_model_is_named_by_its_short_name(model, named):
    with pytest.raises(InvalidGraph, match="short name"):
        read(styles("ink", model=named))


def test_two_candidates_in_one_place_are_refused(model):
    definition = styles("ink", "oil")
    definition["graphs"]["picture"]["nodes"]["offered"]["params"]["index"] = 0
    with pytest.raises(InvalidGraph, match="number, from 0 on"):
        read(definition)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"schema": 1}', "[1e999]", '{"schema": 1, "nodes": {}}']
)
def test_what_is_no_definition_is_refused_with_a_sentence(model, written, text):
    with pytest.raises(CommandError, match="cannot be read|A definition|not JSON|“nodes”"):
        graph("start", written(text))
    assert not Run.objects.exists()
