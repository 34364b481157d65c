"""Workers and runs on a simulated clock, driven by the scheduler that real workers ask."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from imagepipe.workflow.scheduling import (
    Offer,
    Rules,
    Situation,
    Use,
    Waiting,
    after,
    choose,
    faded,
)

RULES = Rules(swap_seconds=2.0)


@dataclass
class Outcome:
    starts: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    swaps: int = 0
    """Changes of a model, with the first loading of each worker."""


def simulate(
    runs: Sequence[Waiting], workers: Sequence[Offer], rules: Rules = RULES
) -> Outcome:
    """Let every run arrive at its ``since``; durations are exactly as estimated."""
    arriving = sorted(runs, key=lambda run: (run.since, run.key))
    waiting: dict[int, Waiting] = {}
    use: dict[str, tuple[float, float, float]] = {}
    outcome, now = Outcome(), 0.0
    offers, idle, busy = list(workers), set(range(len(workers))), list[tuple[float, int]]()
    while arriving or waiting or busy:
        for index in sorted(idle):
            shares = {
                name: Use(faded(seconds, now - at, rules), last)
                for name, (seconds, at, last) in use.items()
            }
            situation = Situation(now, shares, len(workers))
            run = choose(waiting.values(), offers[index], situation, rules)
            if run is None:
                continue
            del waiting[run.key]
            idle.discard(index)
            swap = bool(run.model) and run.model not in offers[index].warm
            outcome.swaps += swap
            offers[index] = after(offers[index], run, now, rules)
            outcome.starts[run.key] = now
            outcome.order.append(run.key)
            outcome.ends[run.key] = now + run.seconds + swap * rules.swap_seconds
            heapq.heappush(busy, (outcome.ends[run.key], index))
            for name in {run.person, run.site}:
                before = shares.get(name, Use()).seconds
                use[name] = (before + run.seconds, now, now)
        upcoming = [arriving[0].since] if arriving else []
        upcoming += [busy[0][0]] if busy else []
        if not upcoming:
            break
        now = max(now, min(upcoming))
        while arriving and arriving[0].since <= now:
            run = arriving.pop(0)
            waiting[run.key] = run
        while busy and busy[0][0] <= now:
            idle.add(heapq.heappop(busy)[1])
    return outcome
