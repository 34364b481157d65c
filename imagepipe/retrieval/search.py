"""Pictures of our own that mean what somebody types, nearest first."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.registry.models import RegisteredModel
from imagepipe.retrieval.clip import chosen_clip, text_vector
from imagepipe.retrieval.indexing import FINDABLE
from imagepipe.retrieval.memory import vectors

logger = logging.getLogger("imagepipe.retrieval")
MAX_QUERY = 400
CHUNK, MAX_NEAREST = 200, 2000
NEWEST = 500
"""Pictures whose words are compared where no CLIP is there."""
WORDS = 0.25
"""What a full match of words adds to the cosine."""
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Found:
    """``score``: the cosine of picture and words, more where title or prompt say them."""

    version: AssetVersion
    score: float


def search(text: str, visible: QuerySet[Asset], limit: int = 6) -> list[Found]:
    """Return the best version of each of the ``visible`` assets that come nearest.

    With an allowed CLIP by meaning, without by words. A model's default
    ``suggestion_threshold`` (cosine, -1 to 1) leaves out what is farther away.
    """
    text = " ".join(text.split())[:MAX_QUERY]
    if not text:
        return []
    model = chosen_clip()
    nearest = _nearest(text, model) if model else None
    if model is None or nearest is None:
        found = _by_words(text, visible)
    else:
        found = _by_meaning(text, visible, nearest, threshold(model), limit)
    best: dict[int, Found] = {}
    for one in sorted(found, key=lambda found: -found.score):
        best.setdefault(one.version.asset_id, one)
    return list(best.values())[:limit]


def threshold(model: RegisteredModel) -> float:
    """Below which cosine nothing is suggested, as the model's defaults say."""
    own = model.defaults if isinstance(model.defaults, dict) else {}
    value = own.get("suggestion_threshold")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return -1.0
    return float(value)


def said_vector(text: str, model: RegisteredModel) -> Any:
    """What the model makes of the words; None where it cannot be used here."""
    try:
        import numpy as np

        return np.frombuffer(text_vector(text, Path(model.location)), "<f4")
    except (ImportError, OSError):
        logger.warning("the model %s cannot be used here", model.slug)
        return None


def _nearest(text: str, model: RegisteredModel) -> Iterator[list[tuple[str, float]]] | None:
    """Hashes with their cosines, in chunks; None where the model cannot be used here."""
    said = said_vector(text, model)
    if said is None:
        return None
    import numpy as np

    known = vectors(model.sha256)
    if not known.hashes or known.matrix.shape[1] != len(said):
        return None
    cosines = known.matrix @ said
    order = np.argsort(-cosines, kind="stable")[:MAX_NEAREST]
    pairs = [(known.hashes[row], float(cosines[row])) for row in order]
    return (pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK))


def _by_meaning(
    text: str,
    visible: QuerySet[Asset],
    nearest: Iterator[list[tuple[str, float]]],
    threshold: float,
    limit: int,
) -> list[Found]:
    found: list[Found] = []
    for chunk in nearest:
        cosines = {sha256: cosine for sha256, cosine in chunk if cosine >= threshold}
        versions = _findable(visible).filter(sha256__in=list(cosines))
        found += [
            Found(version, cosines[version.sha256] + WORDS * _shared(text, version))
            for version in versions
        ]
        assets = {one.version.asset_id for one in found}
        if len(assets) >= limit or len(cosines) < len(chunk):
            break
    return found


def _by_words(text: str, visible: QuerySet[Asset]) -> list[Found]:
    newest = _findable(visible).order_by("-pk")[:NEWEST]
    scored = (Found(version, _shared(text, version)) for version in newest)
    return [found for found in scored if found.score > 0]


def _findable(visible: QuerySet[Asset]) -> QuerySet[AssetVersion]:
    return (
        AssetVersion.objects.filter(
            state__in=FINDABLE, asset__withdrawn_at=None, asset__in=visible
        )
        .select_related("asset")
        .annotate(said=KeyTextTransform("prompt", "recipe"))
        .defer("recipe")
    )


def _shared(text: str, version: AssetVersion) -> float:
    return shared_words(text, f"{version.asset.title} {version.said or ''}")


def shared_words(text: str, other: str) -> float:
    """Share of the words typed that another text says too, 0 to 1."""
    asked, said = (set(_WORD.findall(words.lower())) for words in (text, other))
    return len(asked & said) / len(asked) if asked else 0.0
