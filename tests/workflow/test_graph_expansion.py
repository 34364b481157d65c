"""Definitions with matrices and graphs within graphs, and what they grow to."""

from __future__ import annotations

import itertools
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.workflow import expansion
from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.expansion import expand
from imagepipe.workflow.graph import MAX_INPUTS, MAX_NODES, Graph
from tests.workflow.test_graph_properties import graphs, json_values

DOCS = Path(__file__).parents[2] / "docs/reference"
SCHEMA = DOCS / "graph-definition.schema.json"
REFERENCE = DOCS / "runs.md"


def step(kind: str = "make", params: Any = None, inputs: Any = None, **more: Any) -> Any:
    return {"kind": kind, "params": params or {}, "inputs": inputs or {}} | more


def use(graph: str, params: Any = None, inputs: Any = None, **more: Any) -> Any:
    return {"graph": graph, "params": params or {}, "inputs": inputs or {}} | more


def define(nodes: Any, **graphs: Any) -> Any:
    return {"schema": 1, "nodes": nodes, "graphs": graphs}


def picture() -> Any:
    """A graph that makes a picture of a width in a style, and scales it."""
    nodes = {
        "make": step("make", {"style": {"$param": "style"}}, {"policy": {"$input": "policy"}}),
        "scale": step("scale", {"width": {"$param": "width"}}, {"picture": "make"}),
    }
    return {"nodes": nodes, "output": "scale"}


def test_every_combination_has_a_chain_of_its_own_and_a_join_takes_them_all():
    sizes = {"width": [320, 640], "style": ["ink", "oil"]}
    definition = define(
        {
            "policy": step("policy"),
            "set": use("picture", {}, {"policy": "policy"}, matrix=sizes),
            "best": step("pick", {}, {"of": "set", "policy": "policy"}),
        },
        picture=picture(),
    )
    nodes = {node.id: node for node in expand(definition).nodes}
    assert len(nodes) == 2 + 4 * 2
    assert [
        (
            nodes[f"set-{n:02d}-make"].params["style"],
            nodes[f"set-{n:02d}-scale"].params["width"],
        )
        for n in range(4)
    ] == [("ink", 320), ("ink", 640), ("oil", 320), ("oil", 640)]
    assert dict(nodes["set-02-make"].inputs) == {"policy": "policy"}
    assert dict(nodes["set-02-scale"].inputs) == {"picture": "set-02-make"}
    assert dict(nodes["best"].inputs) == {
        "policy": "policy", **{f"of-{n:02d}": f"set-{n:02d}-scale" for n in range(4)}
    }  # fmt: skip


def test_a_graph_within_a_graph_hands_on_what_it_is_given():
    outer = {
        "nodes": {
            "inner": use(
                "picture",
                {"width": 80, "style": {"$param": "style"}},
                {"policy": {"$input": "policy"}},
            )
        },
        "output": "inner",
    }
    definition = define(
        {
            "p": step("policy"),
            "a": use("outer", {"style": "ink"}, {"policy": "p"}),
            "end": step("offer", {}, {"x": "a"}, when={"input": "x", "key": "ok", "equals": 1}),
        },
        outer=outer,
        picture=picture(),
    )
    plain = {
        "p": step("policy"),
        "a-inner-make": step("make", {"style": "ink"}, {"policy": "p"}),
        "a-inner-scale": step("scale", {"width": 80}, {"picture": "a-inner-make"}),
        "end": step(
            "offer", {}, {"x": "a-inner-scale"}, when={"input": "x", "key": "ok", "equals": 1}
        ),
    }
    assert expand(definition) == Graph.from_dict({"schema": 1, "nodes": plain})


@given(graphs())
def test_a_graph_is_a_definition_of_itself(graph: Graph):
    assert expand(graph.to_dict()) == graph


@given(
    st.dictionaries(
        st.sampled_from(["w", "x", "y"]),
        st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_a_matrix_has_each_combination_once_in_whatever_order_it_is_written(matrix, chance):
    graph = expand(define({"a": step(params={"z": 1}, matrix=matrix)}))
    names = sorted(matrix)
    wanted = [
        {"z": 1} | dict(zip(names, values, strict=True))
        for values in itertools.product(*(matrix[name] for name in names))
    ]
    assert [node.params for node in graph.nodes] == wanted
    keys = list(matrix)
    chance.shuffle(keys)
    shuffled = {key: matrix[key] for key in keys}
    assert expand(define({"a": step(params={"z": 1}, matrix=shuffled)})) == graph


names = st.sampled_from(["a", "b", "c", "picture", "A!", ""])
bodies = st.fixed_dictionaries(
    {
        "params": st.dictionaries(names, json_values | st.just({"$param": "a"}), max_size=2),
        "inputs": st.dictionaries(names, names | st.just({"$input": "a"}), max_size=2),
    },
    optional={
        "kind": names,
        "graph": names,
        "matrix": st.dictionaries(names, st.lists(json_values, max_size=3), max_size=2),
        "when": json_values,
    },
)
steps = st.dictionaries(names, bodies | json_values, max_size=4)
definitions = st.fixed_dictionaries(
    {"schema": st.just(1), "nodes": steps},
    optional={
        "graphs": st.dictionaries(
            names, st.fixed_dictionaries({"nodes": steps, "output": names}), max_size=3
        )
    },
)


@given(definitions | json_values)
def test_whatever_comes_is_a_bounded_graph_or_refused_with_a_sentence(definition: Any):
    try:
        graph = expand(definition)
    except InvalidGraph as error:
        assert 10 < len(str(error)) < 300
    else:
        assert 1 <= len(graph.nodes) <= MAX_NODES
        assert Graph.from_dict(json.loads(graph.canonical())) == graph


def bomb(depth: int, matrix: Any) -> Any:
    """Graphs each of which uses the next one for every combination of the matrix."""
    last = {"nodes": {"x": step(params={"n": {"$param": "n"}})}, "output": "x"}
    graphs: dict[str, Any] = {f"g{depth}": last}
    for level in range(depth):
        nodes = {
            "x": use(f"g{level + 1}", {"n": {"$param": "n"}}, matrix=matrix)
            if matrix
            else use(f"g{level + 1}", {"n": {"$param": "n"}})
        }
        graphs[f"g{level}"] = {"nodes": nodes, "output": "x"}
    return define({"a": use("g0", {"n": 0})}, **graphs)


def test_graphs_may_lie_within_graphs_up_to_a_depth():
    [node] = expand(bomb(expansion.MAX_DEPTH - 1, None)).nodes
    assert (node.id, node.params) == ("a" + "-x" * expansion.MAX_DEPTH, {"n": 0})


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        (bomb(5, {"n": list(range(20))}), "more than 500 steps"),
        (bomb(expansion.MAX_DEPTH, None), "too many others"),
        (define({"a": step(matrix={k: [0] * 99 for k in "bcdefgh"})}), "500 combinations"),
        (define({"a": step(matrix={"b": []})}), "a list that is empty"),
        (define({"a": use("g")}), "no graph “g”"),
        (define({"a": use("g")}, g={"nodes": {"x": use("g")}, "output": "x"}), "itself"),
        (define({"a": use("picture")}, picture=picture()), "is not given"),
        (
            define({"a": use("g", {"b": 1})}, g={"nodes": {"x": step()}, "output": "x"}),
            "does not take “b”",
        ),
        (define({"a": step()}, g={"nodes": {"x": step()}, "output": "y"}), "“output”"),
        (define({"a": step(params={"b": {"$param": "c"}})}), "is not given"),
        (define({"a": step(inputs={"x": "b"}), "b": step(inputs={"x": "a"})}), "waits for"),
        (define({"a": step(inputs={"x": "b"})}), "does not exist"),
        (
            define({"m": step(matrix={"n": list(range(20))}), "j": step(inputs={"x": "m"})}),
            f"more than {MAX_INPUTS} inputs",
        ),
        (
            define(
                {
                    "m": step(matrix={"n": [1]}),
                    "b": step(),
                    "j": step(inputs={"x": "m", "x-00": "b"}),
                }
            ),
            "the same name",
        ),
        (define({"a": step(matrix={"n": [1]}), "a-00": step()}), "the same name"),
        (define({"a": step(params={"long": "x" * expansion.MAX_BYTES})}), "at most 65536"),
    ],
)
def test_what_is_wrong_is_said_and_costs_nothing(definition, why):
    begin = time.process_time()
    with pytest.raises(InvalidGraph, match=why):
        expand(definition)
    assert time.process_time() - begin < 2


def test_the_schema_knows_the_same_bounds():
    schema = json.loads(SCHEMA.read_text("utf-8"))
    step_ = schema["$defs"]["step"]["properties"]
    assert set(schema["properties"]) == {"schema", "nodes", "graphs"}
    assert set(step_) == {"kind", "graph", "params", "inputs", "matrix", "when"}
    assert schema["$defs"]["steps"]["maxProperties"] == MAX_NODES
    assert step_["inputs"]["maxProperties"] == MAX_INPUTS
    assert step_["params"]["maxProperties"] == expansion.MAX_PARAMETERS
    for bound in (expansion.MAX_BYTES, MAX_NODES, f"{expansion.MAX_DEPTH} deep"):
        assert str(bound) in schema["description"]


def test_the_example_of_the_reference_is_what_it_says():
    [text] = re.findall(r"```json\n(.*?)```", REFERENCE.read_text("utf-8"), re.DOTALL)
    graph = expand(json.loads(text))
    parts = ("policy", "make", "large", "marked", "checked", "offered")
    named = {f"set-{number:02d}-{part}" for number in range(3) for part in parts}
    assert {node.id for node in graph.order} == named
    offered = next(node for node in graph.order if node.id == "set-02-offered")
    assert dict(offered.inputs) == {"picture": "set-02-marked", "checks": "set-02-checked"}
