"""The steps of a run in words: state, duration, and whether the work was taken over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from imagepipe.views.sentences import in_reader_language
from imagepipe.workflow.models import Run, RunState, StepRun

KINDS: dict[str, Promise] = {
    "prompt-policy": gettext_lazy("Prompt policy"),
    "canvas": pgettext_lazy("step", "Canvas"),
    "start-picture": pgettext_lazy("step", "Start picture"),
    "control": pgettext_lazy("step", "Control picture"),
    "generate": pgettext_lazy("step", "Generate"),
    "upscale": pgettext_lazy("step", "Scale"),
    "compose": pgettext_lazy("step", "Put together"),
    "finish": pgettext_lazy("step", "Mark"),
    "checks": pgettext_lazy("step", "Check"),
    "offer": pgettext_lazy("step", "Offer"),
    "pick": pgettext_lazy("step", "Pick"),
    "replay": pgettext_lazy("step", "Replay"),
    "register-model": pgettext_lazy("step", "Register the model"),
}


@dataclass(frozen=True)
class StepRow:
    """One step; ``state`` is its own, ``reused``, ``skipped``, ``waiting`` or ``missing``.

    ``summary`` is what the drawing says.
    """

    node: str
    state: str
    state_label: str
    duration: str = ""
    percent: int = 0
    attempt: int = 0
    error: str = ""

    @property
    def summary(self) -> str:
        return f"{self.state_label}, {self.duration}" if self.duration else self.state_label

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "state": self.state,
            "summary": self.summary,
            "percent": self.percent,
            "error": self.error,
        }


def kind_label(kind: str) -> str:
    """The kind of a step in words; one of another package by its own name."""
    return str(KINDS.get(kind, kind))


def step_rows(run: Run) -> dict[str, StepRow]:
    """The steps that were begun, by the name of their node; one query."""
    return {step.node: _row(step) for step in run.steps.defer("output")}


def counts_in_words(rows: dict[str, StepRow]) -> str:
    """How many steps were computed, taken over or not needed; empty before the first ends."""
    counts = Counter(row.state for row in rows.values())
    computed = str(StepRun.Source.COMPUTED)
    counts[computed] = counts[str(RunState.SUCCEEDED)]
    named = StepRun.Source.choices
    return " · ".join(f"{label}: {counts[name]}" for name, label in named if counts[name])


def unbegun(run: Run, node: str) -> StepRow:
    """The row of a step that nobody has begun."""
    if run.is_finished:
        return StepRow(node, "missing", _("Not done"))
    return StepRow(node, "waiting", _("Waiting"))


def _row(step: StepRun) -> StepRow:
    state, label = str(step.state), str(step.get_state_display())
    if step.state == RunState.SUCCEEDED and step.source != StepRun.Source.COMPUTED:
        state, label = str(step.source), str(step.get_source_display())
    return StepRow(
        node=step.node,
        state=state,
        state_label=label,
        duration=_duration(step),
        percent=round(100 * step.progress),
        attempt=step.attempt,
        error=in_reader_language(step.error),
    )


def _duration(step: StepRun) -> str:
    if step.started_at is None or step.finished_at is None:
        return ""
    seconds = max(0.0, (step.finished_at - step.started_at).total_seconds())
    return in_words(seconds)


def in_words(seconds: float) -> str:
    """A duration for people, such as “0.7 s” or “3 min 20 s”."""
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": number_format(seconds, 1)}
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return _("%(seconds)s s") % {"seconds": rest}
    if minutes < 60 and not rest:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes < 60:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
