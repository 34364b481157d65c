from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imagepipe.workflow import graph as graphs
from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import Run, RunState, StepRun
from imagepipe.workflow.steps import registry
from imagepipe.workflow.steps.registry import Step, check_types

SCHEMA = Path(__file__).parents[2] / "docs/reference/graph.schema.json"


@pytest.fixture
def computed(monkeypatch):
    """Registers kinds that write down which of their nodes they computed."""
    seen = []

    def make(kind, **options):
        def run(context):
            seen.append(context.node.id)
            given = [value["value"] for value in context.inputs.values() if "value" in value]
            return {"value": [context.node.params.get("value"), *given], "accepted": False}

        registry.get("generate")
        monkeypatch.setitem(registry._steps, kind, Step(kind, run, reusable=True, **options))

    make("six")
    make("join", joins=True)
    return seen, make


def six(changed: int = 0) -> Graph:
    """a → b → c, a → d → e, and f of c and e; ``changed`` is a parameter of d."""
    return Graph(
        (
            Node.create("a", "six", {"value": 1}),
            Node.create("b", "six", {"value": 2}, {"x": "a"}),
            Node.create("c", "six", {"value": 3}, {"x": "b"}),
            Node.create("d", "six", {"value": 4, "changed": changed}, {"x": "a"}),
            Node.create("e", "six", {"value": 5}, {"x": "d"}),
            Node.create("f", "six", {"value": 6}, {"x": "c", "y": "e"}),
        )
    )


@pytest.fixture
def play(finish):
    def play(graph: Graph) -> dict[str, str]:
        run = Run.objects.create(title="x", graph=graph.to_dict(), graph_sha256=graph.sha256)
        assert finish(run).state == RunState.SUCCEEDED, run.error
        return dict(run.steps.values_list("node", "source"))

    return play


@pytest.mark.django_db
def test_changing_one_parameter_does_only_what_depends_on_it_again(root, computed, play):
    seen, make = computed
    assert set(play(six()).values()) == {"computed"}
    seen.clear()
    assert play(six(changed=1)) == {
        "a": "reused", "b": "reused", "c": "reused",
        "d": "computed", "e": "computed", "f": "computed",
    }  # fmt: skip
    assert sorted(seen) == ["d", "e", "f"]
    seen.clear()
    assert set(play(six(changed=1)).values()) == {"reused"} and not seen
    make("six", version="2")
    assert set(play(six(changed=1)).values()) == {"computed"}


@pytest.mark.django_db
def test_a_closed_gate_skips_a_step_and_what_needs_it(root, computed, play):
    def gated(equals):
        gate = {"input": "x", "key": "accepted", "equals": equals}
        return Graph(
            (
                Node.create("a", "six"),
                Node.create("b", "six", {}, {"x": "a"}, gate),
                Node.create("c", "six", {}, {"x": "b", "y": "a"}),
                Node.create("d", "join", {}, {"x": "b", "y": "a"}),
            )
        )

    assert play(gated(True)) == {
        "a": "computed", "b": "skipped", "c": "skipped", "d": "computed",
    }  # fmt: skip
    assert "skipped" not in play(gated(False)).values()


@pytest.mark.django_db
def test_a_refused_picture_is_made_again_until_it_is_accepted(
    start, finish, settings, monkeypatch
):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"PICTURE_ATTEMPTS": 3}
    verdicts = iter([False, True])

    def judge(context):
        return {"accepted": next(verdicts), "findings": [], "fingerprint": ""}

    monkeypatch.setitem(registry._steps, "checks", Step("checks", judge, gives="verdict"))
    run = finish(start(candidates=1, seed_policy="fixed", seed=7))
    assert run.state == RunState.SUCCEEDED
    sources = dict(run.steps.values_list("node", "source"))
    assert sources["generate-again1-00"] == "computed"
    assert sources["generate-again2-00"] == sources["checks-again2-00"] == "skipped"
    candidate = run.candidates.get()
    assert (candidate.state, candidate.seed != 7) == ("offered", True)
    assert run.steps.filter(source=StepRun.Source.SKIPPED).count() == 4


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("x", "is an object"),
        ({"input": "x", "key": "a"}, "is an object"),
        ({"input": "no", "key": "a", "equals": 1}, "does not have"),
        ({"input": ["x"], "key": "a", "equals": 1}, "does not have"),
        ({"input": "x", "key": "__class__", "equals": 1}, "invalid key"),
        ({"input": "x", "key": "a", "equals": {"b": 1}}, "compares with"),
        ({"input": "x", "key": "a", "equals": "y" * 201}, "compares with"),
    ],
)
def test_a_hostile_gate_is_refused(when, words):
    document = {
        "schema": 1,
        "nodes": {
            "a": {"kind": "six", "params": {}, "inputs": {}},
            "b": {"kind": "six", "params": {}, "inputs": {"x": "a"}, "when": when},
        },
    }
    with pytest.raises(InvalidGraph, match=words):
        Graph.from_dict(document)


def test_a_gate_survives_the_trip_through_json_and_changes_the_hash():
    gate = {"input": "x", "key": "accepted", "equals": False}
    nodes = (Node.create("a", "six"), Node.create("b", "six", {}, {"x": "a"}, gate))
    graph = Graph(nodes)
    assert Graph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph
    without = Graph((nodes[0], Node.create("b", "six", {}, {"x": "a"})))
    assert graph.input_hashes()["b"] != without.input_hashes()["b"]


def test_outputs_that_do_not_fit_are_refused_at_definition():
    policy = Node.create("policy", "prompt-policy")
    made = Node.create("made", "generate", {}, {"policy": "policy"})
    check_types(Graph((policy, made)))
    wrong = Node.create("marked", "finish", {}, {"picture": "policy"})
    with pytest.raises(InvalidGraph, match="must be “picture”, but “policy” gives “policy”"):
        check_types(Graph((policy, wrong)))
    with pytest.raises(InvalidGraph, match="takes these inputs: policy"):
        check_types(Graph((policy, Node.create("made", "generate"))))
    with pytest.raises(InvalidGraph, match="no step of the kind “no-such”"):
        check_types(Graph((Node.create("a", "no-such"),)))


def test_the_published_schema_says_what_the_code_says():
    schema = json.loads(SCHEMA.read_text("utf-8"))
    nodes, step = schema["properties"]["nodes"], schema["$defs"]["step"]
    assert nodes["maxProperties"] == graphs.MAX_NODES
    assert step["properties"]["inputs"]["maxProperties"] == graphs.MAX_INPUTS
    assert str(graphs.MAX_PARAMETER_BYTES) in step["properties"]["params"]["description"]
    names = {nodes["propertyNames"]["pattern"], schema["$defs"]["name"]["pattern"]}
    assert names == {f"^{graphs._NAME.pattern}$"}
    gate = {"input": "x", "key": "accepted", "equals": False}
    body = Node.create("b", "six", {}, {"x": "a"}, gate).to_dict()
    assert set(body) == set(step["properties"])
    assert set(body["when"]) == set(step["properties"]["when"]["properties"])
    assert re.fullmatch(step["properties"]["when"]["properties"]["key"]["pattern"], "accepted")
