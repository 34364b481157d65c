"""Short definitions of graphs: steps repeated over a matrix, and graphs within graphs.

``expand`` turns an untrusted definition into a :class:`Graph`, in which nothing of both is
left; runs, hashes and reuse know whole graphs only. What a definition grows to is bounded
while it grows.
"""

from __future__ import annotations

import graphlib
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagepipe.generation.canonical import canonical_json
from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.graph import MAX_INPUTS, MAX_NODES, SCHEMA, Graph, Node

MAX_BYTES = 64 * 1024
"""Of the canonical text of a definition."""
MAX_PARAMETERS = 64
MAX_DEPTH = 8
"""Graphs within graphs."""
End = str | tuple[str, ...]
"""The step whose output stands for a definition's step; several after a matrix."""


def expand(definition: Any) -> Graph:
    """Return the graph that a definition stands for. Raises :class:`InvalidGraph`."""
    try:
        size = len(canonical_json(definition))
    except (ValueError, TypeError) as error:
        raise InvalidGraph(f"The definition is not JSON: {error}") from error
    if size > MAX_BYTES:
        raise InvalidGraph(f"A definition is at most {MAX_BYTES} bytes long.")
    keys = {"schema", "nodes"}
    if not isinstance(definition, dict) or not keys <= set(definition) <= keys | {"graphs"}:
        raise InvalidGraph("A definition is an object with “schema”, “nodes” and “graphs”.")
    if definition["schema"] != SCHEMA or isinstance(definition["schema"], bool):
        raise InvalidGraph(f"Schema {str(definition['schema'])[:20]} cannot be read.")
    graphs = definition.get("graphs", {})
    if not isinstance(graphs, dict):
        raise InvalidGraph("“graphs” is an object of graphs by their name.")
    for name, graph in graphs.items():
        if not isinstance(graph, dict) or set(graph) != {"nodes", "output"}:
            raise InvalidGraph(f"The graph “{name[:40]}” has “nodes” and “output”.")
        _check_steps(graph["nodes"])
        if not isinstance(graph["output"], str) or graph["output"] not in graph["nodes"]:
            raise InvalidGraph(f"The “output” of “{name[:40]}” is not one of its steps.")
    _check_steps(definition["nodes"])
    expansion = _Expansion(graphs)
    expansion.add(definition["nodes"], "", {}, {}, ())
    graph = Graph(tuple(expansion.nodes))
    graph.canonical()
    return graph


@dataclass
class _Expansion:
    graphs: Mapping[str, Any]
    nodes: list[Node] = field(default_factory=list)

    def add(
        self,
        steps: Mapping[str, Any],
        prefix: str,
        params: Mapping[str, Any],
        inputs: Mapping[str, End],
        path: tuple[str, ...],
    ) -> dict[str, End]:
        """Add the nodes of one graph; returns the ends of its steps by their names."""
        ends: dict[str, End] = {}
        for id in _ordered(steps):
            body = steps[id]
            own = {
                name: _given(value, "$param", params) for name, value in body["params"].items()
            }
            wired = {
                name: _given(value, "$input", inputs)
                if isinstance(value, dict)
                else ends[value]
                for name, value in body["inputs"].items()
            }
            if "matrix" not in body:
                ends[id] = self._copy(f"{prefix}{id}", body, own, wired, path)
                continue
            copies = [
                self._copy(f"{prefix}{id}-{number:02d}", body, own | chosen, wired, path)
                for number, chosen in enumerate(_combinations(id, body["matrix"]))
            ]
            ends[id] = tuple(one for end in copies for one in _each(end))
        return ends

    def _copy(
        self,
        id: str,
        body: Mapping[str, Any],
        params: dict[str, Any],
        inputs: Mapping[str, End],
        path: tuple[str, ...],
    ) -> End:
        if "graph" in body:
            name = body["graph"]
            if name not in self.graphs:
                raise InvalidGraph(f"There is no graph “{name[:40]}”.")
            if name in path or len(path) >= MAX_DEPTH:
                raise InvalidGraph(
                    f"The graph “{name[:40]}” contains itself, or too many others."
                )
            graph = self.graphs[name]
            _check_taken(name, "params", "$param", graph["nodes"], params)
            _check_taken(name, "inputs", "$input", graph["nodes"], inputs)
            ends = self.add(graph["nodes"], f"{id}-", params, inputs, (*path, name))
            return ends[graph["output"]]
        if len(self.nodes) >= MAX_NODES:
            raise InvalidGraph(f"The definition grows to more than {MAX_NODES} steps.")
        pairs = [pair for name, end in inputs.items() for pair in _named(name, end)]
        if len(dict(pairs)) != len(pairs):
            raise InvalidGraph(f"Two inputs of “{id[:40]}” have the same name.")
        self.nodes.append(Node.create(id, body["kind"], params, dict(pairs), body.get("when")))
        return id


def _check_steps(steps: Any) -> None:
    if not isinstance(steps, dict) or not 1 <= len(steps) <= MAX_NODES:
        raise InvalidGraph(f"“nodes” are 1 to {MAX_NODES} steps by their names.")
    for body in steps.values():
        keys = {"params", "inputs"}
        whole = isinstance(body, dict) and (
            keys | {"kind"} <= set(body) <= keys | {"kind", "when", "matrix"}
            or keys | {"graph"} <= set(body) <= keys | {"graph", "matrix"}
        )
        if not whole or not isinstance(body.get("graph", ""), str):
            raise InvalidGraph("A step has “kind” or “graph”, and “params” and “inputs”.")
        if not isinstance(body["params"], dict) or not isinstance(body["inputs"], dict):
            raise InvalidGraph("“params” and “inputs” of a step are objects.")
        if len(body["params"]) > MAX_PARAMETERS:
            raise InvalidGraph(f"A step has at most {MAX_PARAMETERS} parameters.")
        if len(body["inputs"]) > MAX_INPUTS:
            raise InvalidGraph(f"A step has at most {MAX_INPUTS} inputs.")
        for reference in body["inputs"].values():
            if not isinstance(reference, str) and _placeholder(reference, "$input") is None:
                raise InvalidGraph('An input is the name of a step, or {"$input": name}.')


def _ordered(steps: Mapping[str, Any]) -> list[str]:
    needs = {
        id: sorted({ref for ref in body["inputs"].values() if isinstance(ref, str)})
        for id, body in sorted(steps.items())
    }
    for references in needs.values():
        if unknown := [reference for reference in references if reference not in steps]:
            raise InvalidGraph(f"The step “{unknown[0][:40]}” is used but does not exist.")
    try:
        return list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        raise InvalidGraph(f"The step “{error.args[1][0][:40]}” waits for itself.") from error


def _combinations(id: str, matrix: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(matrix, dict) or not 1 <= len(matrix) <= MAX_PARAMETERS:
        raise InvalidGraph(f"“matrix” of “{id[:40]}” is an object of lists.")
    if not all(isinstance(values, list) and values for values in matrix.values()):
        raise InvalidGraph(f"“matrix” of “{id[:40]}” has a list that is empty, or none.")
    if math.prod(map(len, matrix.values())) > MAX_NODES:
        raise InvalidGraph(f"“matrix” of “{id[:40]}” has more than {MAX_NODES} combinations.")
    names = sorted(matrix)
    for values in itertools.product(*(matrix[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def _placeholder(value: Any, kind: str) -> str | None:
    if isinstance(value, dict) and set(value) == {kind} and isinstance(value[kind], str):
        return str(value[kind])
    return None


def _given(value: Any, kind: str, given: Mapping[str, Any]) -> Any:
    name = _placeholder(value, kind)
    if name is None:
        return value
    if name not in given:
        raise InvalidGraph(f"“{name[:40]}” ({kind}) is not given to the graph.")
    return given[name]


def _check_taken(
    name: str, where: str, kind: str, steps: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    values = (value for body in steps.values() for value in body[where].values())
    taken = {_placeholder(value, kind) for value in values}
    if surplus := sorted(set(given) - taken):
        raise InvalidGraph(
            f"The graph “{name[:40]}” does not take “{surplus[0][:40]}” ({kind})."
        )


def _each(end: End) -> tuple[str, ...]:
    return (end,) if isinstance(end, str) else end


def _named(name: str, end: End) -> list[tuple[str, str]]:
    """An input of several steps becomes several inputs, numbered."""
    if isinstance(end, str):
        return [(name, end)]
    return [(f"{name}-{number:02d}", one) for number, one in enumerate(end)]
