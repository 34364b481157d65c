"""What stops runs from being queued or started: quotas, a full queue, engines that rest."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from imagepipe.events import bus
from imagepipe.exceptions import InvalidState
from imagepipe.generation.exceptions import BackendDown
from imagepipe.workflow import blobs, breakers, failures, leases, quotas
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.exceptions import QueueRefused, QuotaExceeded, StorageDown
from imagepipe.workflow.models import ErrorClass, Run, RunState
from imagepipe.workflow.queue_models import EngineHealth, Quota
from imagepipe.workflow.quota_actions import DecideRequest, RequestMore

pytestmark = pytest.mark.django_db


def test_a_quota_refuses_before_anything_is_queued_and_more_can_be_asked_for(
    start, editor, django_capture_on_commit_callbacks
):
    quota = Quota.objects.create(unit="pictures", period="week", amount=5)
    start(candidates=4)
    with pytest.raises(QuotaExceeded, match="4 of 5") as refused:
        start(candidates=2)
    assert Run.objects.count() == 1 and refused.value.quota == quota
    heard = []
    bus.subscribe(bus.MoreRequested, heard.append)
    with django_capture_on_commit_callbacks(execute=True):
        request = RequestMore(quota, editor, amount=3, reason="Fair").execute()
    assert heard == [bus.MoreRequested(request.pk)]
    with pytest.raises(InvalidState, match="asked already"):
        RequestMore(quota, editor, amount=3).execute()
    with pytest.raises(QuotaExceeded):
        start(candidates=2)
    DecideRequest(request, None, grant=True).execute()
    start(candidates=4)
    with pytest.raises(QuotaExceeded, match="8 of 8"):
        start(candidates=1)
    with pytest.raises(InvalidState, match="decided already"):
        DecideRequest(request, None, grant=False).execute()


def test_what_somebody_was_granted_is_no_one_else_s(editor):
    quota = Quota.objects.create(unit="runs", amount=1)
    DecideRequest(RequestMore(quota, editor, amount=9).execute(), None, grant=True).execute()
    assert quotas.allowed(quota, editor) == 10
    assert quotas.allowed(quota, User.objects.create_user("other")) == 1


def test_a_quota_of_one_s_own_replaces_that_of_everybody_and_a_group_counts_together(editor):
    everybody = Quota.objects.create(unit="runs", amount=1)
    assert quotas.quotas_of(editor, None) == [everybody]
    own = Quota.objects.create(unit="runs", amount=50, user=editor)
    group = Group.objects.create(name="Team")
    editor.groups.add(group)
    together = Quota.objects.create(unit="runs", amount=2, group=group)
    assert quotas.quotas_of(editor, None) == [own, together]
    colleague = User.objects.create_user("colleague")
    colleague.groups.add(group)
    Run.objects.create(title="x", graph={}, graph_sha256="", created_by=colleague)
    assert quotas.usage(together, editor) == 1


def test_seconds_count_as_taken_when_ended_and_as_expected_before(editor):
    quota = Quota.objects.create(unit="seconds", amount=100, user=editor)
    now = timezone.now()
    Run.objects.create(
        title="x", graph={}, graph_sha256="", created_by=editor, state=RunState.SUCCEEDED,
        started_at=now - dt.timedelta(seconds=7), finished_at=now, estimated_seconds=50,
    )  # fmt: skip
    Run.objects.create(
        title="x", graph={}, graph_sha256="", created_by=editor, estimated_seconds=5
    )
    assert quotas.usage(quota, editor) == pytest.approx(12)


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("day", (2026, 11, 18), (2026, 11, 19)),
        ("week", (2026, 11, 16), (2026, 11, 23)),
        ("month", (2026, 11, 1), (2026, 12, 1)),
    ],
)
def test_periods_are_those_of_the_calendar(period, begin, end):
    wednesday = timezone.make_aware(dt.datetime(2026, 11, 18, 15, 30))
    dates = [moment.date() for moment in quotas.period_of(period, wednesday)]
    assert dates == [dt.date(*begin), dt.date(*end)]


def test_a_full_queue_refuses(start, settings):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"MAX_WAITING": 1}
    start()
    with pytest.raises(QueueRefused, match="1 runs are waiting"):
        start()


def test_one_key_makes_one_run(template, editor):
    def ask(user, key):
        run = Run(title="x", template=template, idempotency_key=key)
        return StartRun(run, user, brief=Brief(variables={"subject": "a"})).execute()

    first = ask(editor, "k")
    assert ask(editor, "k") == first and ask(editor, "l") != first
    assert ask(None, "k") != first and ask(None, "k") == ask(None, "k")
    assert ask(editor, "") != ask(editor, "")
    assert Run.objects.count() == 5


def test_an_engine_that_fails_again_and_again_rests_and_is_tried_by_one_run(start, model):
    for _run in range(3):
        start(candidates=1)
    now = timezone.now()
    for _time in range(breakers.OPEN_AFTER):
        breakers.failed("fake", "It is down.", now)
    assert breakers.resting(now) == {"fake"}
    assert leases.claim("w") is None
    EngineHealth.objects.update(open_until=now - dt.timedelta(seconds=1))
    probe = leases.claim("w")
    assert probe is not None
    assert leases.claim("w") is None
    breakers.failed("fake", "It is down.", now)
    rest = EngineHealth.objects.get().open_until - now
    assert rest == dt.timedelta(seconds=2 * breakers.FIRST_REST)
    breakers.succeeded(["fake"])
    assert leases.claim("w") is not None


def test_nothing_starts_while_the_storage_rests(start):
    start()
    for _time in range(breakers.OPEN_AFTER):
        breakers.failed(breakers.STORAGE, "No space.", timezone.now())
    assert leases.claim("w") is None


def test_an_outage_of_the_storage_is_told_from_a_missing_file(settings, tmp_path):
    blobs.store(b"x")
    settings.STORAGES["imagepipe_private"]["OPTIONS"]["location"] = "/proc/nowhere"
    settings.STORAGES = dict(settings.STORAGES)
    with pytest.raises(StorageDown):
        blobs.store(b"y")


@pytest.mark.parametrize("limit", [{"concurrent": 1}, {"per_minute": 1}])
def test_engines_are_given_no_more_than_their_limit(start, settings, limit):
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"ENGINE_LIMITS": {"fake": limit}}
    start(), start()
    first = leases.claim("w")
    assert first is not None and leases.claim("w") is None
    Run.objects.filter(pk=first.pk).update(state=RunState.SUCCEEDED)
    assert (leases.claim("w") is None) == ("per_minute" in limit)


def test_a_passing_failure_waits_longer_each_time_and_opens_the_breaker(start, finish):
    pauses = [failures.pause_before(attempt, "k") for attempt in (2, 3, 4, 99)]
    assert pauses == sorted(pauses) and pauses[0] >= 9 and pauses[3] <= 990
    assert failures.classify(BackendDown("x")) is ErrorClass.RETRYABLE
    assert failures.classify(ConnectionError()) is ErrorClass.RETRYABLE
    assert failures.classify(ValueError()) is ErrorClass.TERMINAL


def test_a_run_that_failed_in_passing_is_not_taken_before_its_time(start, finish, monkeypatch):
    from imagepipe.workflow.steps import registry

    def down(context):
        raise BackendDown("It does not answer.")

    monkeypatch.setitem(registry._steps, "checks", registry.Step("checks", down))
    run = finish(start(candidates=1))
    assert (run.state, run.error_class, run.error_code) == (
        "queued",
        "retryable",
        "backend-down",
    )
    assert run.not_before > timezone.now() and leases.claim("w") is None
    assert EngineHealth.objects.get(name="fake").failures == 1
    monkeypatch.undo()
    Run.objects.update(not_before=timezone.now())
    run = finish(run)
    assert (run.state, run.attempt, run.error_class) == ("succeeded", 2, "")
    assert EngineHealth.objects.get(name="fake").failures == 0
