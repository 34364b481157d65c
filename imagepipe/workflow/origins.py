"""Where a Wagtail image came from."""

from __future__ import annotations

from django.db import models

from imagepipe.workflow.models import Candidate


def candidate_of(image: models.Model) -> str:
    """Key of the candidate that an image was generated as, or an empty text."""
    candidates = Candidate.objects.filter(version__asset__image_id=image.pk)
    uid = candidates.order_by("-version__number").values_list("uid", flat=True).first()
    return uid.hex if uid else ""
