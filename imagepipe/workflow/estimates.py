"""How long a run is expected to take, from those that were finished before."""

from __future__ import annotations

import statistics

from imagepipe.workflow.models import Run, RunState

LATEST = 20
"""So many runs of the same model are looked at."""


def estimate(run: Run) -> float | None:
    """Return seconds, or None when no run of this model was finished yet.

    The median time per picture of the latest runs of the model, times the pictures wanted.
    """
    finished = Run.objects.filter(model=run.model_id, state=RunState.SUCCEEDED)
    rows = finished.order_by("-pk").values_list("started_at", "finished_at", "request__seeds")
    per_picture = [
        (finished_at - started_at).total_seconds() / max(1, len(seeds or ()))
        for started_at, finished_at, seeds in rows[:LATEST]
        if started_at and finished_at
    ]
    if not per_picture:
        return None
    return round(statistics.median(per_picture) * max(1, len(run.request.get("seeds", ()))), 3)
