"""Masks and control pictures that were used before for what somebody types now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval.clip import chosen_clip
from imagepipe.retrieval.models import PictureVector
from imagepipe.retrieval.search import MAX_QUERY, WORDS, said_vector, shared_words, threshold
from imagepipe.workflow.guide_models import Guide
from imagepipe.workflow.masks import same_shape
from imagepipe.workflow.models import Run

NEWEST = 500
"""Guides that are compared."""
BATCH = 400
"""Hashes in one query."""


@dataclass(frozen=True, slots=True)
class FoundGuide:
    """``score``: the cosine of what it was used for and the words, more where its run says
    them."""

    guide: Guide
    score: float


def search_guides(
    text: str,
    runs: QuerySet[Run],
    kinds: Sequence[str],
    *,
    shape: tuple[int, int] | None = None,
    limit: int = 4,
) -> list[FoundGuide]:
    """Return the guides of these ``runs`` that come nearest, each once.

    With an allowed CLIP by meaning, else by words. With ``shape`` (width and height), only
    masks that fit a picture of it.
    """
    text = " ".join(text.split())[:MAX_QUERY]
    if not text:
        return []
    known = (
        Guide.objects.filter(kind__in=kinds, run__in=runs)
        .select_related("run")
        .annotate(said=KeyTextTransform("prompt_used", "run__request"))
        .defer("run__graph", "run__request")
    )
    model = chosen_clip()
    guides = {
        guide.sha256: guide
        for guide in reversed(list(known.order_by("-pk")[:NEWEST]))
        if shape is None or same_shape((guide.width, guide.height), shape)
    }
    cosines = dict(_cosines(text, model, list(guides))) if model else {}
    least = threshold(model) if model else 0.0
    found = []
    for sha256, guide in guides.items():
        words = shared_words(text, f"{guide.run.title} {guide.said or ''}")
        cosine = cosines.get(sha256)
        if (cosine is not None and cosine >= least) or (cosine is None and words):
            found.append(FoundGuide(guide, (cosine or 0.0) + WORDS * words))
    return sorted(found, key=lambda one: -one.score)[:limit]


def _cosines(
    text: str, model: RegisteredModel, hashes: Sequence[str]
) -> Iterator[tuple[str, float]]:
    said = said_vector(text, model)
    if said is None:
        return
    import numpy as np

    rows = PictureVector.objects.filter(model_sha256=model.sha256)
    for start in range(0, len(hashes), BATCH):
        batch = rows.filter(sha256__in=hashes[start : start + BATCH])
        for sha256, vector in batch.values_list("sha256", "vector"):
            seen = np.frombuffer(bytes(vector), "<f4")
            if len(seen) == len(said):
                yield sha256, float(seen @ said)
