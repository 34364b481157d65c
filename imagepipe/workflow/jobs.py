"""Runs that make no pictures: work on many assets, in parts, through the same queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from imagepipe.workflow.graph import Graph, Node
from imagepipe.workflow.models import Run

PART = 20
"""Assets of one step; a cancelled run ends at the next picture."""
MOST = 10_000
"""Assets of one run."""


def build(kind: str, assets: Sequence[Any], params: Mapping[str, Any]) -> Graph:
    """Return a graph whose steps, of one kind, share out the assets."""
    parts = [assets[start : start + PART] for start in range(0, len(assets), PART)]
    return Graph(
        tuple(
            Node.create(f"{kind}-{number:03d}", kind, {**params, "assets": list(some)})
            for number, some in enumerate(parts)
        )
    )


def job_of(run: Run) -> str:
    """Name of the built-in graph; empty for runs that generate pictures."""
    request = run.request if isinstance(run.request, dict) else {}
    return str(request.get("job") or "")


def is_own(run: Run, user: AbstractBaseUser | None) -> bool:
    """Whether the person asked for it. Such work needs no right to make pictures."""
    asked_by = run.created_by_id
    return bool(job_of(run) and user and asked_by is not None and asked_by == user.pk)


def tally(outputs: Iterable[Any]) -> dict[str, int]:
    """The sum of what the steps have counted."""
    total: dict[str, int] = {}
    for output in outputs:
        for name, count in (output or {}).items():
            if isinstance(count, int) and not isinstance(count, bool):
                total[name] = total.get(name, 0) + count
    return total
