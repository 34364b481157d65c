"""Walking up a ComfyUI graph in the API form, where a link is ``[node, output]``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from imagepipe.generation.interchange import values

Nodes = dict[str, dict[str, Any]]
"""Nodes by their number; each has ``inputs``, a dictionary."""


def class_of(node: dict[str, Any]) -> str:
    return values.name(node.get("class_type"))


def upstream(nodes: Nodes, start: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a node and all that lead to it, the nearest first; cycles are walked once."""
    waiting, seen = deque([start]), {start}
    while waiting:
        id = waiting.popleft()
        yield id, nodes[id]
        for value in nodes[id]["inputs"].values():
            if not (isinstance(value, list) and value):
                continue
            before = str(value[0])[:40]
            if before in nodes and before not in seen:
                seen.add(before)
                waiting.append(before)


def nearest(
    nodes: Nodes, start: str | None, names: tuple[str, ...], *, kind: type | None = None
) -> Any:
    """Return the first plain value under one of the names, going up; None: there is none."""
    if start is None:
        return None
    for _id, node in upstream(nodes, start):
        for name in names:
            value = node["inputs"].get(name)
            if value is None or isinstance(value, (list, dict)):
                continue
            if kind is None or isinstance(value, kind):
                return value
    return None
