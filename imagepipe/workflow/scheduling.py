"""Which waiting run a worker takes next. Pure: values in, one choice out, no clock, no rows.

1. What the worker cannot do, or an engine must not get now, is left out.
2. A run whose deadline leaves no more time goes first, the earliest deadline before others.
3. Everybody's own runs stand in order of priority, which grows with waiting, then of age.
4. Of the first runs of everybody, the highest tier of priority wins. Who is served at all is
   not lifted by waiting, who is passed over is: up to the highest tier within
   ``Rules.ageing_seconds``. So heavy use cannot hide behind old runs, and nobody starves.
5. Within the tier the site, then the person, with the least recent use.
6. Within the tier a worker stays with its loaded model for ``Rules.bundle_seconds``.

All times are seconds on one clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

HIGHEST = 100
SPAN = 200
"""From the lowest to the highest priority."""
TIER = 20
URGENT = 60
"""From this priority on a run does not wait for a bundle or between another's steps."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits; ``since`` is when its wait began, or the place it was moved to."""

    key: int
    since: float
    priority: int = 0
    person: str = ""
    site: str = ""
    seconds: float = 10.0
    deadline: float | None = None
    model: str = ""
    backend: str = ""
    resource: str = ""
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker has: classes of machine, memory (0: not known), its loaded models."""

    resources: frozenset[str] = frozenset()
    memory: int = 0
    warm: frozenset[str] = frozenset()
    bundle_since: float = float("-inf")
    """When the current bundle of one model began."""


@dataclass(frozen=True, slots=True)
class Use:
    """Recent work for a person or site, in seconds by weight, and when it was last begun."""

    seconds: float = 0.0
    last_start: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Situation:
    """What is so at this moment: the use of everybody, workers, engines that must rest."""

    now: float
    use: Mapping[str, Use] = field(default_factory=dict)
    workers: int = 1
    resting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """How impatient, how fair, how lazy; in seconds."""

    ageing_seconds: float = 1800.0
    """A wait that lifts the lowest priority to the highest."""
    bundle_seconds: float = 60.0
    half_life: float = 120.0
    """After which half of somebody's use is forgotten."""
    swap_seconds: float = 10.0
    """Time that loading another model is expected to take."""


def choose(
    waiting: Iterable[Waiting], offer: Offer, situation: Situation, rules: Rules
) -> Waiting | None:
    """Return the run to take, or None when there is none for this worker."""
    able = [
        run for run in waiting if _fits(run, offer) and run.backend not in situation.resting
    ]
    if not able:
        return None
    pressing = _pressing(able, situation, rules)
    if pressing is not None:
        return pressing
    heads = _heads(able, situation.now, rules)
    tiers = {run.key: _tier(run, situation, rules) for run in heads}
    top = max(tiers.values())
    first = min(
        (run for run in heads if tiers[run.key] == top),
        key=lambda run: _fairness(run, situation),
    )
    if not first.model or first.model in offer.warm or not offer.warm:
        return first
    if situation.now - offer.bundle_since >= rules.bundle_seconds:
        return first
    same = [
        run for run in able if run.model in offer.warm and _tier(run, situation, rules) >= top
    ]
    return min(
        _heads(same, situation.now, rules),
        key=lambda run: _fairness(run, situation),
        default=first,
    )


def makes_way(
    current: Waiting,
    waiting: Iterable[Waiting],
    offer: Offer,
    situation: Situation,
    rules: Rules,
) -> bool:
    """Whether a worker puts its run back between two steps, for an urgent one.

    Only if the urgent one is what the worker would be given instead; else it would be given
    its own run again, and so on without end.
    """
    if current.priority >= URGENT:
        return False
    chosen = choose([current, *waiting], offer, situation, rules)
    return chosen is not None and chosen.key != current.key and chosen.priority >= URGENT


def faded(seconds: float, elapsed: float, rules: Rules) -> float:
    """Return what is left of a use after ``elapsed`` seconds."""
    return seconds * 0.5 ** (max(0.0, elapsed) / rules.half_life)


def forecast(
    waiting: Sequence[Waiting],
    offers: Sequence[tuple[float, Offer]],
    situation: Situation,
    rules: Rules,
) -> dict[int, float]:
    """Return when each run is expected to start if nothing else comes in.

    ``offers`` are the workers with the seconds until each is free. A run that no worker can
    take is left out.
    """
    left = {run.key: run for run in waiting}
    free = [(situation.now + max(0.0, busy), index) for index, (busy, _) in enumerate(offers)]
    machines = [offer for _, offer in offers]
    use, starts = dict(situation.use), dict[int, float]()
    while left and free:
        now, index = min(free)
        free.remove((now, index))
        passed = replace(situation, now=now, use=use)
        run = choose(left.values(), machines[index], passed, rules)
        if run is None:
            continue
        del left[run.key]
        starts[run.key] = now
        machines[index] = after(machines[index], run, now, rules)
        for name in (run.person, run.site):
            before = use.get(name, Use())
            use[name] = Use(before.seconds + run.seconds, now)
        free.append((now + run.seconds, index))
    return starts


def after(offer: Offer, run: Waiting, now: float, rules: Rules) -> Offer:
    """Return what the worker offers once it has taken the run: its model is warm then."""
    if not run.model:
        return offer
    over = now - offer.bundle_since >= rules.bundle_seconds
    began = now if run.model not in offer.warm or over else offer.bundle_since
    return replace(offer, warm=frozenset({run.model}), bundle_since=began)


def _fits(run: Waiting, offer: Offer) -> bool:
    if run.resource and run.resource not in offer.resources:
        return False
    return not (run.memory and offer.memory and run.memory > offer.memory)


def _pressing(able: Sequence[Waiting], situation: Situation, rules: Rules) -> Waiting | None:
    """The earliest deadline, if what is due can just be done when begun now.

    Deadlines that are missed already press no more. The margin is one more run of somebody
    else, which would not be interrupted, and one change of the model.
    """
    now = situation.now
    due = sorted(
        (run for run in able if run.deadline is not None and run.deadline > now),
        key=lambda run: (run.deadline, run.key),
    )
    if not due:
        return None
    margin = max(run.seconds for run in able) + 2 * rules.swap_seconds
    latest = float("inf")
    for run in reversed(due):
        latest = min(latest, run.deadline or 0.0) - run.seconds / max(1, situation.workers)
    return due[0] if latest - margin <= now else None


def _heads(runs: Sequence[Waiting], now: float, rules: Rules) -> list[Waiting]:
    """The first run of everybody."""

    def turn(run: Waiting) -> tuple[float, float, int]:
        grown = run.priority + SPAN * max(0.0, now - run.since) / rules.ageing_seconds
        return -min(float(HIGHEST), grown), run.since, run.key

    heads: dict[tuple[str, str], Waiting] = {}
    for run in runs:
        mine = (run.site, run.person)
        if mine not in heads or turn(run) < turn(heads[mine]):
            heads[mine] = run
    return list(heads.values())


def _tier(run: Waiting, situation: Situation, rules: Rules) -> int:
    served = situation.use.get(run.person, Use()).last_start
    passed_over = max(0.0, situation.now - max(run.since, served))
    lifted = run.priority + SPAN * passed_over / rules.ageing_seconds
    return int(min(float(HIGHEST), lifted) // TIER)


def _fairness(run: Waiting, situation: Situation) -> tuple[float, float, float, int]:
    site = situation.use.get(run.site, Use()).seconds
    person = situation.use.get(run.person, Use()).seconds
    return site, person, run.since, run.key
