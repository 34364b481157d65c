"""All vectors of one model in the memory of this process, renewed as the table grows."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max

from imagepipe.retrieval.models import PictureVector


@dataclass(frozen=True)
class Vectors:
    """``matrix`` has one row per hash; ``state`` says which rows of the table it knows."""

    hashes: tuple[str, ...]
    matrix: Any
    state: tuple[int, int, str]


_known: dict[str, Vectors] = {}
_lock = threading.Lock()


def vectors(model_sha256: str) -> Vectors:
    """Return what is known of a model's vectors; only new rows are read again."""
    rows = PictureVector.objects.filter(model_sha256=model_sha256)
    totals = rows.aggregate(count=Count("pk"), last=Max("pk"))
    count, last = totals["count"], totals["last"] or 0
    with _lock:
        known = _known.get(model_sha256)
        if known is not None and known.state[:2] == (count, last):
            newest = rows.filter(pk=last).values_list("sha256", flat=True).first() or ""
            if newest == known.state[2]:
                return known
        fresh = _read(rows, known, count)
        _known[model_sha256] = fresh
        return fresh


def _read(rows: Any, known: Vectors | None, count: int) -> Vectors:
    import numpy as np

    after = rows.order_by("pk")
    if known is not None:
        newer = after.filter(pk__gt=known.state[1])
        anchor = rows.filter(pk=known.state[1], sha256=known.state[2])
        if known.state[0] + newer.count() == count and anchor.exists():
            after = newer
        else:
            known = None
    read = list(after.values_list("pk", "sha256", "vector"))
    usable = [(sha256, bytes(vector)) for _pk, sha256, vector in read if vector]
    hashes = (known.hashes if known else ()) + tuple(sha256 for sha256, _vector in usable)
    parts = [known.matrix] if known and known.hashes else []
    if usable:
        parts.append(np.stack([np.frombuffer(vector, "<f4") for _sha256, vector in usable]))
    last = read[-1][:2] if read else known.state[1:] if known else (0, "")
    return Vectors(
        hashes,
        np.concatenate(parts) if parts else np.zeros((0, 1), "<f4"),
        ((known.state[0] if known else 0) + len(read), *last),
    )
