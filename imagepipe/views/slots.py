"""One place per planned candidate, from the start of a run to its end."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.conf import get_settings
from imagepipe.review.models import Review
from imagepipe.views.findings import Check, in_words
from imagepipe.workflow import blobs
from imagepipe.workflow.mark_actions import starred_by
from imagepipe.workflow.models import Candidate, Run, RunState, StepRun

STAGES: dict[str, Promise] = {
    "generate": gettext_lazy("Generating"),
    "upscale": gettext_lazy("Scaling"),
    "compose": gettext_lazy("Putting together"),
    "finish": gettext_lazy("Marking"),
    "checks": gettext_lazy("Checking"),
    "offer": gettext_lazy("Offering"),
}


@dataclass(frozen=True)
class Slot:
    """The place of one candidate on the run page, from the start of the run on.

    ``state``: ``waiting``, ``making``, ``missing`` (the run ended before it), or the state
    of the candidate. ``percent`` is that of the denoising, 0 to 100.
    """

    run: Run
    index: int
    seed: int | None
    state: str
    state_label: str
    percent: int = 0
    preview_url: str = ""
    candidate: Candidate | None = None
    rejection: Review | None = None
    starred: bool = False
    """By the person who looks."""

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def shape(self) -> str:
        """The shape that a picture was extended to; empty for all others."""
        edit = self.run.request.get("edit") if isinstance(self.run.request, dict) else None
        frames = (edit or {}).get("frames") or []
        return str(frames[self.index]["name"]) if self.index < len(frames) else ""

    @property
    def key(self) -> str:
        """Changes whenever the card has to be drawn anew."""
        return self.state if self.candidate is None else f"{self.state}-{self.candidate.pk}"

    @property
    def checks(self) -> tuple[Check, ...]:
        return in_words(self.candidate.findings) if self.candidate else ()

    @property
    def picture_url(self) -> str:
        if self.candidate is None:
            return ""
        return reverse("imagepipe_admin:candidate_picture", args=[self.candidate.uid])

    @property
    def is_open(self) -> bool:
        """Whether a person still has to decide."""
        return self.state == Candidate.State.OFFERED

    @property
    def is_pinned(self) -> bool:
        return self.candidate is not None and self.candidate.pinned

    def to_dict(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "uid": self.candidate.uid.hex if self.candidate else None,
            "key": self.key,
            "state": self.state,
            "state_label": self.state_label,
            "percent": self.percent,
            "seed": self.seed,
            "preview_url": self.preview_url,
            "picture_url": self.picture_url,
            "card_url": reverse(
                "imagepipe_admin:candidate_card", args=[self.run.uid, self.index]
            ),
            "checks": [check.to_dict() for check in self.checks],
        }


def slots(run: Run, user: AbstractBaseUser | None = None) -> list[Slot]:
    """One per planned candidate, in order; four queries at most. Stars are ``user``'s."""
    candidates = {
        candidate.index: candidate
        for candidate in run.candidates.select_related("version__asset").defer("recipe")
    }
    starred = starred_by(user, run) if user is not None and candidates else frozenset()
    rejections = _rejections(candidates.values())
    steps = {step.node: step for step in run.steps.defer("output")}
    seeds = run.request.get("seeds") if isinstance(run.request, dict) else None
    seeds = seeds if isinstance(seeds, list) else []
    count = max([len(seeds), *(index + 1 for index in candidates)], default=0)
    found = []
    for index in range(count):
        seed = seeds[index] if index < len(seeds) else None
        if candidate := candidates.get(index):
            found.append(
                Slot(
                    run=run,
                    index=index,
                    seed=candidate.seed,
                    state=candidate.state,
                    state_label=_state_label(candidate),
                    percent=100,
                    candidate=candidate,
                    rejection=rejections.get(candidate.uid),
                    starred=candidate.pk in starred,
                )
            )
        else:
            found.append(_unfinished(run, index, seed, steps))
    return found


def _state_label(candidate: Candidate) -> str:
    """One word; the checks beside it say who refused."""
    if candidate.state == Candidate.State.REFUSED:
        return _("Refused")
    return candidate.get_state_display()


def _rejections(candidates: Iterable[Candidate]) -> dict[uuid.UUID, Review]:
    rejected = [c.uid for c in candidates if c.state == Candidate.State.REJECTED]
    if not rejected:
        return {}
    reviews = Review.objects.filter(subject_uid__in=rejected)
    return {review.subject_uid: review for review in reviews}


def _unfinished(run: Run, index: int, seed: int | None, steps: dict[str, StepRun]) -> Slot:
    own = [steps.get(f"{stage}-{index:02d}") for stage in STAGES]
    begun = [step for step in own if step is not None]
    making = steps.get(f"generate-{index:02d}")
    percent = round(100 * making.progress) if making else 0
    preview = ""
    if making and get_settings().private_storage.exists(blobs.preview_name(run.uid.hex, index)):
        url = reverse("imagepipe_admin:candidate_preview", args=[run.uid, index])
        preview = f"{url}?at={percent}"
    if run.is_finished:
        state, label = "missing", _("Not made")
    elif begun and run.state == RunState.RUNNING:
        state, label = "making", str(STAGES[begun[-1].kind])
    else:
        state, label = "waiting", _("Waiting")
    return Slot(run, index, seed, state, label, percent, preview)
