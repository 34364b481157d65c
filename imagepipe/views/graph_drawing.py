"""Where the steps of a graph stand when it is drawn: one column per depth, branches in rows."""

from __future__ import annotations

from dataclasses import dataclass

from imagepipe.views.step_rows import StepRow, kind_label, unbegun
from imagepipe.workflow.exceptions import InvalidGraph
from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import Run

WIDTH, HEIGHT = 126, 44
GAP_X, GAP_Y = 28, 22
MARGIN = 4


@dataclass(frozen=True)
class Box:
    """One step of the drawing; lengths are pixels."""

    row: StepRow
    label: str
    x: int
    y: int
    needs: tuple[str, ...]
    """Labels of the steps whose outputs it needs."""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class Drawing:
    boxes: tuple[Box, ...]
    """Inputs before what needs them."""
    paths: tuple[str, ...]
    """The edges, as the ``d`` of an SVG path."""
    width: int
    height: int


def draw(run: Run, rows: dict[str, StepRow]) -> Drawing | None:
    """The graph of a run with the states of its steps; None if it cannot be read."""
    try:
        graph = Graph.from_dict(run.graph)
    except InvalidGraph:
        return None
    places = _places(graph.order)
    labels = {node.id: _label(node) for node in graph.order}
    boxes = {
        node.id: Box(
            row=rows.get(node.id) or unbegun(run, node.id),
            label=labels[node.id],
            x=MARGIN + places[node.id][0] * (WIDTH + GAP_X),
            y=MARGIN + places[node.id][1] * (HEIGHT + GAP_Y),
            needs=tuple(labels[reference] for _name, reference in node.inputs),
        )
        for node in graph.order
    }
    edges = sorted({(ref, node.id) for node in graph.order for _name, ref in node.inputs})
    return Drawing(
        boxes=tuple(boxes.values()),
        paths=tuple(_path(boxes[start], boxes[end]) for start, end in edges),
        width=max(box.x for box in boxes.values()) + WIDTH + MARGIN,
        height=max(box.y for box in boxes.values()) + HEIGHT + GAP_Y,
    )


def _places(order: tuple[Node, ...]) -> dict[str, tuple[int, int]]:
    """Column and row of each node: behind its inputs, in the row of the first if it is free."""
    places: dict[str, tuple[int, int]] = {}
    taken: set[tuple[int, int]] = set()
    for node in order:
        before = [places[reference] for _name, reference in node.inputs]
        column = 1 + max((place[0] for place in before), default=-1)
        row = before[0][1] if before else 0
        while (column, row) in taken:
            row += 1
        places[node.id] = (column, row)
        taken.add((column, row))
    return places


def _label(node: Node) -> str:
    stem, _dash, number = node.id.rpartition("-")
    label = kind_label(node.kind)
    return f"{label} {int(number) + 1}" if stem and number.isdecimal() else label


def _path(start: Box, end: Box) -> str:
    y1, y2 = start.y + HEIGHT // 2, end.y + HEIGHT // 2
    x1, x2 = start.x + WIDTH, end.x
    if y1 == y2 and x2 - x1 > GAP_X:  # below the boxes between them
        bottom, dip = start.y + HEIGHT, start.y + HEIGHT + GAP_Y - 6
        return (
            f"M{start.middle} {bottom}C{start.middle} {dip} {start.middle} {dip} "
            f"{start.middle + 20} {dip}H{end.middle - 20}"
            f"C{end.middle} {dip} {end.middle} {dip} {end.middle} {bottom}"
        )
    bend = x2 - GAP_X // 2
    return f"M{x1} {y1}H{bend - GAP_X // 2}C{bend} {y1} {bend} {y2} {x2} {y2}"
