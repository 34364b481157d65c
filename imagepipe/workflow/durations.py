"""How long a run will take, by what finished ones took. Pure: values in, values out."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

AT_MOST = 20
"""Finished runs that an expectation rests on: the latest, since machines and models change."""


class Basis(enum.StrEnum):
    """What an expectation rests on, the best first."""

    SAME = "same"
    """Finished runs of the same model, size and number of steps."""
    MODEL = "model"
    """Finished runs of the same model, by pixels and steps."""
    ANY = "any"
    """Finished runs of other models, by pixels and steps."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Job:
    """What decides how long a run takes."""

    model: int | None
    pictures: int
    steps: int = 0
    pixels: int = 0
    kind: str = ""
    """Of work that makes no pictures: only the same kind tells how long it takes."""

    @property
    def work(self) -> int:
        """Of one picture; 1 where nothing is known, so that pictures alone count."""
        return max(1, self.steps * self.pixels)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that computed everything itself, and its seconds from start to end."""

    job: Job
    seconds: float


@dataclass(frozen=True, slots=True)
class Expectation:
    """``seconds`` is None when nothing is known; ``runs`` is how many it rests on."""

    seconds: float | None
    basis: Basis
    runs: int = 0


def expect(job: Job, finished: Iterable[Finished]) -> Expectation:
    """Return what to expect of a job; ``finished`` has the latest first.

    Medians, so that one slow start or a machine that slept does not count.
    """
    past = [
        one
        for one in finished
        if one.seconds > 0 and one.job.pictures > 0 and one.job.kind == job.kind
    ]
    mine = [one for one in past if one.job.model == job.model]
    same = [one for one in mine if one.job.work == job.work][:AT_MOST]
    if same:
        return _by(same, Basis.SAME, job, work=False)
    if mine:
        return _by(mine[:AT_MOST], Basis.MODEL, job, work=True)
    if past:
        return _by(past[:AT_MOST], Basis.ANY, job, work=True)
    return Expectation(None, Basis.NOTHING)


def remaining(expected: float | None, elapsed: float, progress: float) -> float | None:
    """Return the seconds that a run still needs, at a progress of 0 to 1.

    Once a tenth is done its own speed is known better than that of others. None: not known.
    """
    if progress >= 0.1:
        return elapsed * (1 - min(1.0, progress)) / progress
    return None if expected is None else max(0.0, expected - elapsed)


def _by(past: Sequence[Finished], basis: Basis, job: Job, *, work: bool) -> Expectation:
    speeds = [one.seconds / one.job.pictures / (one.job.work if work else 1) for one in past]
    each = statistics.median(speeds) * (job.work if work else 1)
    return Expectation(each * job.pictures, basis, len(past))
