from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.graph import MAX_NODES, Graph, Node

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('abcü€ "\\', max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 12))
    names = draw(st.permutations([f"n-{index:02d}" for index in range(count)]))
    nodes = []
    for position, name in enumerate(names):
        choices = st.sampled_from(names[:position]) if position else st.nothing()
        earlier = draw(st.lists(choices, max_size=min(3, position)))
        nodes.append(
            Node.create(
                name,
                draw(st.sampled_from(["make", "scale", "join"])),
                draw(st.dictionaries(st.text("xyz", min_size=1), json_values, max_size=2)),
                {f"in-{number}": reference for number, reference in enumerate(earlier)},
            )
        )
    return Graph(tuple(draw(st.permutations(nodes))))


@given(graphs())
def test_every_input_comes_before_its_user(graph: Graph):
    places = {node.id: place for place, node in enumerate(graph.order)}
    assert sorted(places) == [node.id for node in graph.nodes]
    for node in graph.order:
        assert all(places[reference] < places[node.id] for _, reference in node.inputs)


@given(graphs(), st.randoms(use_true_random=False))
def test_neither_order_nor_a_round_trip_changes_identity(graph: Graph, chance: random.Random):
    shuffled = list(graph.nodes)
    chance.shuffle(shuffled)
    again = Graph(tuple(shuffled))
    travelled = Graph.from_dict(json.loads(graph.canonical()))
    for other in (again, travelled):
        assert other == graph
        assert other.sha256 == graph.sha256
        assert other.order == graph.order
        assert other.input_hashes() == graph.input_hashes()


@given(graphs(), st.data())
def test_a_changed_parameter_changes_exactly_what_depends_on_it(
    graph: Graph, data: st.DataObject
):
    changed = data.draw(st.sampled_from(graph.nodes))
    other = Graph(
        tuple(
            Node.create(
                n.id, n.kind, n.params | ({"!": 1} if n is changed else {}), dict(n.inputs)
            )
            for n in graph.nodes
        )
    )
    affected = {changed.id}
    for node in graph.order:
        if affected & {reference for _, reference in node.inputs}:
            affected.add(node.id)
    before, after = graph.input_hashes(), other.input_hashes()
    assert {id for id in before if before[id] != after[id]} == affected
    assert other.sha256 != graph.sha256


@given(graphs(), st.data())
def test_closing_a_circle_is_refused(graph: Graph, data: st.DataObject):
    end = data.draw(st.sampled_from(graph.nodes))
    by_id = {node.id: node for node in graph.nodes}
    chain = [end.id]
    while by_id[chain[-1]].inputs:
        chain.append(data.draw(st.sampled_from(by_id[chain[-1]].inputs))[1])
    start = by_id[chain[-1]]
    closed = Node.create(
        start.id, start.kind, start.params, dict(start.inputs) | {"back": end.id}
    )
    with pytest.raises(InvalidGraph, match="wait for each other"):
        Graph(tuple(closed if node is start else node for node in graph.nodes))


node_bodies = st.fixed_dictionaries(
    {"kind": st.sampled_from(["k", "K", 3, None]), "params": json_values, "inputs": json_values}
)
documents = st.fixed_dictionaries(
    {
        "schema": st.sampled_from([1, 1, 1, True, 2, None]),
        "nodes": st.dictionaries(
            st.text("ab-", max_size=3), node_bodies | json_values, max_size=3
        ),
    }
)


@given(json_values | documents)
def test_hostile_documents_are_refused_with_a_sentence(document: object):
    try:
        Graph.from_dict(document)
    except InvalidGraph as error:
        assert str(error).endswith(".") or ":" in str(error)


def test_input_hash_does_not_depend_on_the_name():
    graph = Graph((Node.create("a", "make", {"x": 1}), Node.create("b", "make", {"x": 1})))
    assert graph.input_hashes()["a"] == graph.input_hashes()["b"]


def test_one_branch_is_finished_before_the_next():
    nodes = [Node.create("policy", "policy")]
    for branch in ("00", "01"):
        nodes.append(Node.create(f"generate-{branch}", "make", {}, {"p": "policy"}))
        nodes.append(Node.create(f"offer-{branch}", "offer", {}, {"p": f"generate-{branch}"}))
    assert [node.id for node in Graph(tuple(nodes)).order] == [
        "policy",
        "generate-00",
        "offer-00",
        "generate-01",
        "offer-01",
    ]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((), "1 to 500 steps, not 0"),
        ((Node.create("a", "k"), Node.create("a", "k")), "same name"),
        ((Node.create("a", "k", {}, {"x": "b"}),), "“b” is used but does not exist"),
        ((Node.create("a", "k", {}, {"x": "a"}),), "“a” and “a” wait for each other"),
        (
            tuple(Node.create(f"n{i}", "k") for i in range(MAX_NODES + 1)),
            "1 to 500 steps, not 501",
        ),
    ],
)
def test_invalid_graphs_say_why(nodes: tuple[Node, ...], message: str):
    with pytest.raises(InvalidGraph, match=message):
        Graph(nodes)


@pytest.mark.parametrize(
    "arguments",
    [
        ("", "k"),
        ("A", "k"),
        ("a" * 41, "k"),
        ("a", "k k"),
        ("a", "k", {"x": float("nan")}),
        ("a", "k", {"x": object()}),
        ("a", "k", {"x": "y" * 70_000}),
        ("a", "k", {"x": "\ud800"}),
        ("a", "k", {}, {f"i{n}": "b" for n in range(17)}),
        ("a", "k", {}, {"I": "b"}),
    ],
)
def test_invalid_nodes_are_refused(arguments: tuple[object, ...]):
    with pytest.raises(InvalidGraph):
        Node.create(*arguments)  # type: ignore[arg-type]


def test_a_node_cannot_be_changed_from_outside():
    params = {"list": [1]}
    node = Node.create("a", "k", params)
    params["list"].append(2)
    node.params["list"].append(3)
    assert node.params == {"list": [1]}
    with pytest.raises(AttributeError):
        node.kind = "other"  # type: ignore[misc]


def test_a_long_chain_needs_no_deep_stack():
    nodes = [Node.create("n0", "k")]
    nodes += [Node.create(f"n{i}", "k", {}, {"x": f"n{i - 1}"}) for i in range(1, MAX_NODES)]
    assert [node.id for node in Graph(tuple(nodes)).order] == [
        f"n{i}" for i in range(MAX_NODES)
    ]
