"""Where pictures came from."""

from __future__ import annotations

from django.db import models

from imagepipe.assets.models import AssetVersion, Lineage
from imagepipe.workflow.models import Candidate, Run


def candidate_of(image: models.Model) -> str:
    """Key of the candidate that an image was generated as, or an empty text."""
    candidates = Candidate.objects.filter(version__asset__image_id=image.pk)
    uid = candidates.order_by("-version__number").values_list("uid", flat=True).first()
    return uid.hex if uid else ""


def parents_of(run: Run) -> tuple[tuple[AssetVersion, str], ...]:
    """The nearest accepted picture that "more like this" started from."""
    source, seen = run.variation_of, set[int]()
    while source is not None and source.pk not in seen:
        if source.version is not None:
            return ((source.version, str(Lineage.Relation.VARIATION)),)
        seen.add(source.pk)
        source = source.run.variation_of
    return ()
