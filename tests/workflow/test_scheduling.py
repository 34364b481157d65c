"""What the scheduler promises, on a simulated clock.

``IMAGEPIPE_SCHEDULES=10000`` plays that many schedules of each promise instead of a sample.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from imagepipe.workflow.scheduling import (
    HIGHEST,
    Offer,
    Rules,
    Situation,
    Use,
    Waiting,
    choose,
    forecast,
)
from tests.workflow.simulation import RULES, simulate

SCHEDULES = int(os.environ.get("IMAGEPIPE_SCHEDULES", "60"))
played = settings(max_examples=SCHEDULES, deadline=None)
durations = st.floats(0.5, 5)
priorities = st.integers(-100, 100)
MACHINE = Offer()


@played
@given(
    workers=st.integers(1, 4),
    priority=priorities,
    lengths=st.lists(durations, min_size=101, max_size=101),
    second=st.integers(1, 4),
    arrival=st.floats(0, 100),
)
def test_the_second_of_two_users_waits_at_most_twice_the_fair_share(
    workers, priority, lengths, second, arrival
):
    many = [
        Waiting(key, 0, priority, "many", seconds=length)
        for key, length in enumerate(lengths[: 101 - second])
    ]
    few = [
        Waiting(1000 + key, arrival, priority, "few", seconds=length)
        for key, length in enumerate(lengths[101 - second :])
    ]
    outcome = simulate([*many, *few], [MACHINE] * workers)
    longest = max(lengths)
    for place, run in enumerate(few):
        # A running one is not interrupted; from then on half of the workers are theirs.
        fair = longest + place * longest * 2 / workers
        assert outcome.starts[run.key] - arrival <= 2 * fair


@played
@given(
    workers=st.integers(1, 4),
    others=st.lists(
        st.tuples(st.floats(0, 30), st.integers(-100, 59), st.sampled_from("abcde")),
        min_size=10,
        max_size=60,
    ),
    person=st.sampled_from("abcx"),
    arrival=st.floats(0, 60),
)
def test_an_urgent_run_starts_within_the_time_of_one_run(workers, others, person, arrival):
    runs = [
        Waiting(key, since, priority, who, seconds=2.0)
        for key, (since, priority, who) in enumerate(others)
    ]
    urgent = Waiting(999, arrival, HIGHEST, person, seconds=2.0)
    outcome = simulate([*runs, urgent], [MACHINE] * workers)
    assert outcome.starts[urgent.key] - arrival <= 2.0 + 1e-9


@played
@given(
    workers=st.integers(1, 3),
    floods=st.integers(1, 3),
    length=durations,
    rivals=st.integers(60, 100),
)
def test_ageing_bounds_the_wait_of_the_lowest_priority(workers, floods, length, rivals):
    rules = replace(RULES, ageing_seconds=120.0)
    bound = rules.ageing_seconds + 2 * length * floods
    count = int((bound + 20) / length) * workers
    flood = [
        Waiting(key, key * length / workers, rivals, f"rival{key % floods}", seconds=length)
        for key in range(count)
    ]
    ahead = [Waiting(5000 + key, 0, rivals, "rival0", seconds=length) for key in range(20)]
    poor = Waiting(9999, 0, -100, "poor", seconds=length)
    outcome = simulate([*flood, *ahead, poor], [MACHINE] * workers, rules)
    assert outcome.starts[poor.key] <= bound
    # …and it did have to wait: priority means something.
    if rivals - 20 > -100 and count > 4 * workers:
        assert outcome.starts[poor.key] > length


@played
@given(
    tight=st.dictionaries(st.integers(0, 39), st.floats(30, 300), max_size=3),
    users=st.integers(1, 4),
    length=st.floats(1, 2),
)
def test_forty_runs_over_two_models_swap_at_most_four_times_and_keep_deadlines(
    tight, users, length
):
    deadlines = {
        key: 40 + place * 5 + after for place, (key, after) in enumerate(tight.items())
    }
    runs = [
        Waiting(
            key,
            key * 1e-3,
            0,
            f"user{key // 2 % users}",
            seconds=length,
            deadline=deadlines.get(key),
            model="ab"[key % 2],
        )
        for key in range(40)
    ]
    outcome = simulate(runs, [MACHINE])
    assert outcome.swaps <= 4
    for key, deadline in deadlines.items():
        assert outcome.ends[key] <= deadline


@played
@given(
    lengths=st.lists(durations, min_size=3, max_size=30),
    slack=st.floats(0, 30),
    seed=st.integers(0, 2**16),
)
def test_deadlines_that_can_be_kept_are_kept(lengths, slack, seed):
    chance = random.Random(seed)
    margin = max(lengths) + 2 * RULES.swap_seconds
    total, runs = 0.0, []
    for key, length in enumerate(lengths):
        total += length
        if chance.random() < 0.5:
            deadline = total + margin + max(lengths) + slack * chance.random()
            runs.append(Waiting(key, 0, -100, "late", seconds=length, deadline=deadline))
        else:
            runs.append(Waiting(key, 0, 100, f"u{key % 3}", seconds=length))
    outcome = simulate(runs, [MACHINE])
    for run in runs:
        if run.deadline is not None:
            assert outcome.ends[run.key] <= run.deadline


runs_of_all_kinds = st.lists(
    st.builds(
        Waiting,
        key=st.integers(0, 10**6),
        since=st.floats(0, 1000),
        priority=priorities,
        person=st.sampled_from("abc"),
        site=st.sampled_from("st"),
        seconds=durations,
        deadline=st.none() | st.floats(900, 2000),
        model=st.sampled_from(["", "m", "n"]),
        backend=st.sampled_from(["p", "q"]),
        resource=st.sampled_from(["", "gpu", "gpu-80"]),
        memory=st.sampled_from([0, 10, 99]),
    ),
    max_size=30,
    unique_by=lambda run: run.key,
)
offers = st.builds(
    Offer,
    resources=st.frozensets(st.sampled_from(["gpu", "gpu-80"])),
    memory=st.sampled_from([0, 50]),
    warm=st.frozensets(st.sampled_from(["m", "n"]), max_size=1),
    bundle_since=st.floats(0, 1000),
)


@played
@given(
    runs=runs_of_all_kinds,
    offer=offers,
    resting=st.frozensets(st.sampled_from(["p", "q"])),
    seed=st.integers(0, 99),
)
def test_a_choice_fits_depends_on_no_order_and_is_made_whenever_there_is_one(
    runs, offer, resting, seed
):
    situation = Situation(1000.0, {"a": Use(5, 990)}, 2, resting)
    fitting = [
        run
        for run in runs
        if (not run.resource or run.resource in offer.resources)
        and (not offer.memory or run.memory <= offer.memory)
        and run.backend not in resting
    ]
    choice = choose(runs, offer, situation, Rules())
    assert (choice is None) == (not fitting)
    assert choice is None or choice in fitting
    shuffled = random.Random(seed).sample(runs, len(runs))
    assert choose(shuffled, offer, situation, Rules()) == choice


@played
@given(shares=st.lists(st.sampled_from("aab"), min_size=30, max_size=60))
def test_sites_share_before_their_people_do(shares):
    """Site a has many people, site b one: each site gets half of the work."""
    runs = [
        Waiting(key, 0, 0, f"{site}{key % 7 if site == 'a' else ''}", site, seconds=1.0)
        for key, site in enumerate(shares)
    ]
    outcome = simulate(runs, [MACHINE])
    sites = [shares[key] for key in outcome.order]
    both = 2 * min(sites.count("a"), sites.count("b"))
    first = sites[:both]
    assert abs(first.count("a") - first.count("b")) <= 2


@played
@given(runs=runs_of_all_kinds, workers=st.integers(1, 3))
def test_a_forecast_names_a_start_for_every_run_that_can_start(runs, workers):
    free = [(float(index), Offer(frozenset({"gpu"}), 50)) for index in range(workers)]
    starts = forecast(runs, free, Situation(1000.0, {}, workers), Rules())
    assert set(starts) == {
        run.key for run in runs if run.resource != "gpu-80" and run.memory <= 50
    }
    assert all(start >= 1000 for start in starts.values())
