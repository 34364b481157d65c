"""“More like this”: the words of a candidate again, starting from the candidate itself."""

from __future__ import annotations

from django.utils.translation import gettext as _

from imagepipe.generation.request import Mode
from imagepipe.workflow.abilities import obstacle
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.edits import Edit
from imagepipe.workflow.models import Candidate
from imagepipe.workflow.source_pictures import SourcePicture

LIKENESS = 0.55
"""How far a picture like another may move away from it, 0 to 1."""


def alike(candidate: Candidate) -> Brief:
    """What asks for pictures that look like the candidate, with new seeds."""
    asked = candidate.run.request | {
        "seed": None,
        "seed_policy": "random",
        "prompt": candidate.recipe.get("prompt") or candidate.run.request.get("prompt_used"),
        "negative": candidate.recipe.get("negative_prompt"),
        "width": None,
        "height": None,
        "edit": Edit(
            str(Mode.IMAGE_TO_IMAGE), SourcePicture.of_candidate(candidate), LIKENESS
        ).to_dict(),
    }
    return Brief.from_dict(asked)


def obstacle_to_likeness(candidate: Candidate) -> str:
    """Why the model of a candidate cannot start from it; empty where it can."""
    model = candidate.run.model
    if model is None:
        return _("The model is not there any more.")
    return obstacle(model, Mode.IMAGE_TO_IMAGE)
