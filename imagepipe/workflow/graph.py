"""``Graph``: which steps a run takes, with which parameters, in which order. Pure values.

A node names the nodes whose outputs it needs; that is the only kind of edge. Order of
execution, canonical text and hashes depend on the content alone, never on the order in
which nodes were written down.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagepipe.generation.canonical import canonical_json
from imagepipe.workflow.exceptions import InvalidGraph

SCHEMA = 1
MAX_NODES = 500
MAX_INPUTS = 16
MAX_PARAMETER_BYTES = 64 * 1024
MAX_BYTES = 900_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Node:
    """One step: its kind, its parameters, and whose outputs it needs under which name."""

    id: str
    kind: str
    parameters: str = "{}"
    """Canonical JSON, so that a node is hashable and cannot change."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Sorted pairs of input name and node id."""
    when: tuple[str, str, str] | None = None
    """Only if this key of this input has this value (as JSON); else the step is skipped."""

    @classmethod
    def create(
        cls,
        id: str,
        kind: str,
        params: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> Node:
        """Return a node. Raises :class:`InvalidGraph` for names and values out of bounds."""
        if not (isinstance(id, str) and _NAME.fullmatch(id)):
            raise InvalidGraph(f"“{str(id)[:40]}” is not a name for a step.")
        if not (isinstance(kind, str) and _NAME.fullmatch(kind)):
            raise InvalidGraph(f"“{str(kind)[:40]}” is not a kind of step.")
        references = dict(inputs or {})
        if len(references) > MAX_INPUTS:
            raise InvalidGraph(f"The step “{id}” has more than {MAX_INPUTS} inputs.")
        for name, reference in references.items():
            if not all(isinstance(n, str) and _NAME.fullmatch(n) for n in (name, reference)):
                raise InvalidGraph(f"The step “{id}” has an input with an invalid name.")
        try:
            text = canonical_json(dict(params or {}))
        except (ValueError, TypeError) as error:
            raise InvalidGraph(f"The parameters of “{id}” are not JSON: {error}") from error
        if len(text) > MAX_PARAMETER_BYTES:
            raise InvalidGraph(
                f"The parameters of “{id}” are longer than {MAX_PARAMETER_BYTES} bytes."
            )
        gate = None if when is None else _read_gate(id, when, references)
        return cls(id, kind, text.decode(), tuple(sorted(references.items())), gate)

    @property
    def params(self) -> dict[str, Any]:
        """A fresh copy of the parameters."""
        return json.loads(self.parameters)

    def to_dict(self) -> dict[str, Any]:
        body = {"kind": self.kind, "params": self.params, "inputs": dict(self.inputs)}
        if self.when is not None:
            name, key, value = self.when
            body["when"] = {"input": name, "key": key, "equals": json.loads(value)}
        return body


@dataclass(frozen=True, slots=True)
class Graph:
    """A valid directed acyclic graph; making an invalid one raises :class:`InvalidGraph`."""

    nodes: tuple[Node, ...]
    order: tuple[Node, ...] = field(init=False, compare=False, repr=False)
    """The nodes so that inputs come first, one branch after the other, each by name."""

    def __post_init__(self) -> None:
        if not self.nodes or len(self.nodes) > MAX_NODES:
            raise InvalidGraph(f"A graph has 1 to {MAX_NODES} steps, not {len(self.nodes)}.")
        by_id = {node.id: node for node in self.nodes}
        if len(by_id) != len(self.nodes):
            raise InvalidGraph("Two steps have the same name.")
        object.__setattr__(self, "nodes", tuple(by_id[id] for id in sorted(by_id)))
        object.__setattr__(self, "order", _topological(by_id))

    @classmethod
    def from_dict(cls, data: Any) -> Graph:
        """Return the graph of an untrusted document. Raises :class:`InvalidGraph`."""
        if not isinstance(data, dict) or set(data) != {"schema", "nodes"}:
            raise InvalidGraph("A graph is an object with “schema” and “nodes”.")
        if data["schema"] != SCHEMA or isinstance(data["schema"], bool):
            raise InvalidGraph(f"Graphs of schema {str(data['schema'])[:20]} cannot be read.")
        nodes = data["nodes"]
        if not isinstance(nodes, dict) or not 1 <= len(nodes) <= MAX_NODES:
            raise InvalidGraph(f"A graph has 1 to {MAX_NODES} steps.")
        return cls(tuple(_read_node(id, body) for id, body in nodes.items()))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"schema": SCHEMA, "nodes": {node.id: node.to_dict() for node in self.nodes}}

    def canonical(self) -> bytes:
        """Return the canonical JSON. Raises :class:`InvalidGraph` when it is too long."""
        text = canonical_json(self.to_dict())
        if len(text) > MAX_BYTES:
            raise InvalidGraph(f"The graph is longer than {MAX_BYTES} bytes.")
        return text

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def input_hashes(self, versions: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return per node the hash of kind, parameters and everything that leads to it.

        Equal hashes mean equal work: a finished output may be used again. The node's own
        name plays no part. ``versions`` are those of the code of kinds; the first, “1”, is
        not written down.
        """
        hashes: dict[str, str] = {}
        for node in self.order:
            body = {
                "kind": node.kind,
                "params": node.params,
                "inputs": {name: hashes[reference] for name, reference in node.inputs},
            }
            if (version := (versions or {}).get(node.kind, "1")) != "1":
                body["version"] = version
            if node.when is not None:
                body["when"] = list(node.when)
            hashes[node.id] = hashlib.sha256(canonical_json(body)).hexdigest()
        return hashes


def _read_node(id: Any, body: Any) -> Node:
    wanted = {"kind", "params", "inputs"}
    if not isinstance(body, dict) or not wanted <= set(body) <= wanted | {"when"}:
        raise InvalidGraph("A step is an object with “kind”, “params” and “inputs”.")
    if not isinstance(body["params"], dict) or not isinstance(body["inputs"], dict):
        raise InvalidGraph("“params” and “inputs” of a step are objects.")
    return Node.create(id, body["kind"], body["params"], body["inputs"], body.get("when"))


def _read_gate(id: str, when: Any, inputs: Mapping[str, str]) -> tuple[str, str, str]:
    if not isinstance(when, Mapping) or set(when) != {"input", "key", "equals"}:
        raise InvalidGraph(f"“when” of “{id}” is an object with “input”, “key” and “equals”.")
    name, key, value = when["input"], when["key"], when["equals"]
    if not (isinstance(name, str) and name in inputs):
        raise InvalidGraph(f"“when” of “{id}” speaks of an input that the step does not have.")
    if not (isinstance(key, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key)):
        raise InvalidGraph(f"“when” of “{id}” has an invalid key.")
    if not isinstance(value, (bool, str, int)) or len(str(value)) > 200:
        raise InvalidGraph(f"“when” of “{id}” compares with true, false, a text or a number.")
    return name, key, canonical_json(value).decode()


def _topological(by_id: Mapping[str, Node]) -> tuple[Node, ...]:
    """Depth first from the ends of the graph, one branch after the other."""
    needed = {reference for node in by_id.values() for _, reference in node.inputs}
    if unknown := sorted(needed - set(by_id)):
        raise InvalidGraph(f"The step “{unknown[0]}” is used but does not exist.")
    ordered: list[Node] = []
    done: set[str] = set()
    for end in [*sorted(set(by_id) - needed), *sorted(by_id)]:
        _visit(end, by_id, done, ordered)
    return tuple(ordered)


def _visit(start: str, by_id: Mapping[str, Node], done: set[str], ordered: list[Node]) -> None:
    path: set[str] = set()
    stack: list[tuple[str, Iterable[str]]] = []

    def enter(id: str) -> None:
        path.add(id)
        stack.append((id, iter(sorted({reference for _, reference in by_id[id].inputs}))))

    if start not in done:
        enter(start)
    while stack:
        id, references = stack[-1]
        reference = next(iter(references), None)
        if reference is None:
            stack.pop()
            path.discard(id)
            done.add(id)
            ordered.append(by_id[id])
        elif reference in path:
            raise InvalidGraph(f"The steps “{id}” and “{reference}” wait for each other.")
        elif reference not in done:
            enter(reference)
