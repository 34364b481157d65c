"""Charging what somebody used: the same sum whether the database or Python does it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from imagepipe.workflow import shares
from imagepipe.workflow.queue_models import Share

pytestmark = pytest.mark.django_db
HALF = dt.timedelta(seconds=shares.rules().half_life)


def used() -> dict[str, float]:
    return {share.owner: round(share.used_seconds, 3) for share in Share.objects.all()}


def test_use_is_added_and_fades_and_is_never_negative():
    now = timezone.now()
    shares.charge("user:1", "site:1", 8, now, starting=True)
    shares.charge("user:2", "site:1", 2, now + HALF, starting=True)
    assert used() == {"user:1": 8, "user:2": 2, "site:1": 6}
    shares.charge("user:1", "site:1", -5, now + HALF)
    assert used() == {"user:1": 0, "user:2": 2, "site:1": 1}
    site, first = Share.objects.get(owner="site:1"), Share.objects.get(owner="user:1")
    assert (site.last_started_at, first.last_started_at) == (now + HALF, now)
    assert first.weight == 1


def test_a_year_of_silence_and_a_clock_that_went_back_are_borne():
    now = timezone.now()
    shares.charge("user:1", "site:1", 1e-6, now)
    shares.charge("user:1", "site:1", 3, now + dt.timedelta(days=365))
    assert used() == {"user:1": 3, "site:1": 3}
    shares.charge("user:1", "site:1", 1, now)
    assert used() == {"user:1": 4, "site:1": 4}
    assert Share.objects.get(owner="user:1").updated_at == now + dt.timedelta(days=365)


def test_what_is_given_back_before_anything_was_used_is_nothing():
    shares.charge("user:1", "site:1", -3, timezone.now())
    assert used() == {"user:1": 0, "site:1": 0}
