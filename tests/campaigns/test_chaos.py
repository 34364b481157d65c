"""A sample of the chaos campaign; the whole is run by hand, see ``chaos/campaign.py``."""

from __future__ import annotations

import pytest

from tests.campaigns.chaos.campaign import make_jobs, run_cell


@pytest.mark.slow
def test_killed_workers_lose_and_double_nothing() -> None:
    verdict = run_cell("database", "sqlite", 10, seed=5, limit=240)
    assert verdict["wrong"] == []
    assert verdict["kills"] > 0 and verdict["runs"] == 10


def test_the_same_seed_makes_the_same_jobs() -> None:
    assert make_jobs(50, 3) == make_jobs(50, 3) != make_jobs(50, 4)
