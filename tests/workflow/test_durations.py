from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.workflow.durations import (
    AT_MOST,
    Basis,
    Expectation,
    Finished,
    Job,
    expect,
    remaining,
)
from imagepipe.workflow.forecasts import expected_of, outlook
from imagepipe.workflow.models import Run, RunState, StepRun

SMALL = Job(model=1, pictures=1, steps=10, pixels=100)
LARGE = Job(model=1, pictures=1, steps=20, pixels=400)


def test_nothing_is_known_before_the_first_run() -> None:
    assert expect(SMALL, []) == Expectation(None, Basis.NOTHING)


def test_runs_of_the_same_kind_count_by_picture() -> None:
    past = [Finished(Job(1, 2, 10, 100), 8.0), Finished(LARGE, 500.0)]
    assert expect(SMALL, past) == Expectation(4.0, Basis.SAME, 1)
    assert expect(Job(1, 5, 10, 100), past) == Expectation(20.0, Basis.SAME, 1)


def test_other_sizes_count_by_pixels_and_steps() -> None:
    assert expect(LARGE, [Finished(SMALL, 4.0)]) == Expectation(32.0, Basis.MODEL, 1)
    other = Job(model=2, pictures=1, steps=10, pixels=100)
    assert expect(other, [Finished(SMALL, 4.0)]) == Expectation(4.0, Basis.ANY, 1)


def test_one_slow_start_does_not_count() -> None:
    past = [Finished(SMALL, seconds) for seconds in (4.0, 4.2, 300.0, 3.8, 4.0)]
    assert expect(SMALL, past).seconds == 4.0


def test_only_the_latest_count() -> None:
    past = [Finished(SMALL, 2.0)] * AT_MOST + [Finished(SMALL, 90.0)] * 500
    assert expect(SMALL, past) == Expectation(2.0, Basis.SAME, AT_MOST)


def test_what_makes_no_sense_is_passed_over() -> None:
    past = [Finished(SMALL, 0.0), Finished(SMALL, -3.0), Finished(Job(1, 0), 5.0)]
    assert expect(SMALL, past).seconds is None


@given(
    st.lists(
        st.builds(
            Finished,
            st.builds(
                Job,
                st.sampled_from([1, 2, None]),
                st.integers(1, 16),
                st.integers(0, 150),
                st.integers(0, 10**7),
            ),
            st.floats(0.01, 1e5),
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 8),
)
def test_an_expectation_is_positive_and_grows_with_the_pictures(past, pictures) -> None:
    job = past[0].job
    found = expect(job, past)
    assert found.basis == Basis.SAME
    assert found.seconds is not None and found.seconds > 0
    more = expect(Job(job.model, job.pictures + pictures, job.steps, job.pixels), past)
    assert more.seconds is not None and more.seconds > found.seconds


@pytest.mark.parametrize(
    ("expected", "elapsed", "progress", "left"),
    [
        (10.0, 4.0, 0.0, 6.0),
        (10.0, 14.0, 0.05, 0.0),
        (None, 4.0, 0.05, None),
        (10.0, 4.0, 0.5, 4.0),
        (None, 30.0, 0.75, 10.0),
        (10.0, 4.0, 1.0, 0.0),
    ],
)
def test_what_is_left(expected, elapsed, progress, left) -> None:
    assert remaining(expected, elapsed, progress) == left


def took(run: Run, seconds: float, **values: object) -> None:
    """As if the run had succeeded at its first attempt after so long."""
    now = timezone.now()
    values = {"state": RunState.SUCCEEDED, "attempt": 1} | values
    started = now - dt.timedelta(seconds=seconds)
    Run.objects.filter(pk=run.pk).update(started_at=started, finished_at=now, **values)


@pytest.mark.django_db
def test_a_new_run_carries_what_the_queue_page_expects_of_it(start):
    first = start(candidates=2)
    assert first.estimated_seconds is None
    took(first, 8.0)
    same = start(candidates=3)
    assert same.estimated_seconds == pytest.approx(12.0)
    long = start(candidates=1, steps=24)
    assert long.estimated_seconds == pytest.approx(16.0)
    forecasts = outlook([same, long], timezone.now()).forecasts
    for run, basis in ((same, Basis.SAME), (long, Basis.MODEL)):
        assert forecasts[run.pk].expectation == expected_of(run)
        assert expected_of(run).basis == basis
        assert expected_of(run).seconds == run.estimated_seconds


@pytest.mark.django_db
def test_only_runs_that_computed_everything_at_once_are_measured(start):
    took(start(), 500.0, attempt=2)
    took(start(), 600.0, state=RunState.FAILED)
    reused = start()
    took(reused, 0.1)
    StepRun.objects.create(
        run=reused, node="generate-00", kind="generate", source=StepRun.Source.REUSED
    )
    assert start().estimated_seconds is None
    took(start(candidates=2), 4.0)
    assert start(candidates=1).estimated_seconds == pytest.approx(2.0)
