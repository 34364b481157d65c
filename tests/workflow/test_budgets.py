"""Money: prices of engines, budgets that stop before enqueueing, what was really spent."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.generation.exceptions import Cancelled
from imagepipe.generation.prices import Price, in_money, number_in_words, read_price
from imagepipe.workflow import expenses, leases, quotas, runner
from imagepipe.workflow.actions import CancelRun, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.exceptions import QuotaExceeded
from imagepipe.workflow.models import Run, RunState
from imagepipe.workflow.queue_actions import RetryFailedSteps
from imagepipe.workflow.queue_models import Expense, Quota, QuotaRequest
from imagepipe.workflow.quota_actions import DecideRequest, RequestMore, SetQuota
from imagepipe.workflow.steps import registry

pytestmark = pytest.mark.django_db


@pytest.fixture
def cost(settings: Any) -> Callable[..., None]:
    def cost(**price: str) -> None:
        settings.IMAGEPIPE = settings.IMAGEPIPE | {"ENGINE_PRICES": {"fake": price}}

    return cost


@pytest.fixture
def budget(editor: User) -> Quota:
    return SetQuota(Quota(unit="cost", period="month", amount=1), None).execute()


def amounts() -> list[Decimal]:
    return list(Expense.objects.values_list("amount", flat=True))


def test_a_budget_refuses_before_anything_is_queued_and_says_everything(start, cost, budget):
    cost(picture="0.3")
    start(candidates=3)
    with pytest.raises(QuotaExceeded) as refused:
        start(candidates=1)
    said = str(refused.value)
    assert "0.90 of 1 (EUR) are used until" in said and "this needs 0.30" in said
    assert "Ask for more" in said and refused.value.quota == budget
    assert Run.objects.count() == 1
    asked = RequestMore(budget, refused.value.quota.user or User.objects.get(), amount=1)
    DecideRequest(asked.execute(), None, grant=True).execute()
    assert start(candidates=1).estimated_cost == Decimal("0.3")


def test_what_is_free_is_not_refused_by_a_budget_that_is_used_up(start, cost, budget):
    cost(picture="0.6")
    start(candidates=1)
    Run.objects.update(estimated_cost=2)
    cost()
    assert start(candidates=4).estimated_cost == 0
    cost(picture="0.000001")
    with pytest.raises(QuotaExceeded):
        start(candidates=1)


def test_what_was_spent_stays_whatever_prices_become(start, finish, cost, budget, editor):
    cost(picture="0.1")
    run = finish(start(candidates=2))
    assert run.state == "succeeded"
    assert set(Expense.objects.values_list("node", "engine", "currency", "amount")) == {
        (f"generate-{index:02d}", "fake", "EUR", Decimal("0.1")) for index in (0, 1)
    }
    cost(picture="77")
    assert amounts() == [Decimal("0.1")] * 2
    assert expenses.spent(run) == quotas.usage(budget, editor) == Decimal("0.2")


def test_a_picture_that_is_taken_over_costs_nothing_again(start, finish, cost):
    cost(picture="0.1")
    finish(start(candidates=1, seed=7))
    again = finish(start(candidates=1, seed=7))
    assert again.estimated_cost == Decimal("0.1") and expenses.spent(again) == 0
    assert len(amounts()) == 1


def test_seconds_are_paid_as_the_engine_took_them(start, finish, cost):
    cost(second="2")
    run = start(candidates=1)
    assert run.estimated_cost == 0  # nothing is known about how long it takes
    finish(run)
    paid = Expense.objects.get()
    assert paid.seconds > 0
    assert paid.amount == Price(second=Decimal(2)).cost(1, paid.seconds)
    assert start(candidates=2).estimated_cost > 0


def test_open_runs_count_as_expected_or_as_spent_whichever_is_more(
    start, finish, cost, budget, editor
):
    cost(picture="0.1")
    run = start(candidates=2)
    assert quotas.usage(budget, editor) == Decimal("0.2")
    expenses.record(run, "generate-00", "fake", 1)
    assert quotas.usage(budget, editor) == Decimal("0.2")
    for _time in range(2):
        expenses.record(run, "generate-01", "fake", 1)
    assert quotas.usage(budget, editor) == Decimal("0.3")
    CancelRun(run, editor).execute()
    assert quotas.usage(budget, editor) == Decimal("0.3")


def test_money_of_another_currency_is_another_matter(
    start, finish, cost, budget, editor, settings
):
    cost(picture="0.1")
    run = finish(start(candidates=1))
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"CURRENCY": "CHF"}
    assert expenses.spent(run) == quotas.usage(budget, editor) == 0
    assert str(budget) == "1 CHF / Month" and in_money(Decimal("0.1")) == "0.10 CHF"


def test_whoever_loses_the_run_has_spent_the_money_all_the_same(start, cost, monkeypatch):
    cost(picture="0.1")
    run = start(candidates=1)
    owner = leases.new_owner()
    claimed = leases.claim(owner, run.uid.hex)
    assert claimed is not None

    def lose(context: Any) -> Any:
        Run.objects.update(lease_owner="another")
        return registry_scale.run(context)

    registry_scale = registry.get("upscale")
    monkeypatch.setitem(registry._steps, "upscale", registry.Step("upscale", lose))
    runner.execute(claimed, owner, heartbeat=False)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING and amounts() == [Decimal("0.1")]


@pytest.mark.parametrize(("calls", "charged"), [(1, 0), (2, 1)])
def test_a_cancelled_picture_counts_once_its_engine_was_asked(calls, charged):
    def make(on_step: Any) -> Any:
        for _call in range(calls):
            on_step(0, 9, None)

    seen: list[int] = []
    told: list[tuple[str, float]] = []

    def on_step(step: int, steps: int, preview: bytes | None) -> None:
        seen.append(step)
        if len(seen) == calls:
            raise Cancelled("Stop.")

    with pytest.raises(Cancelled):
        expenses.metered("fake", make, on_step, lambda *facts: told.append(facts))
    assert [engine for engine, _seconds in told] == ["fake"] * charged


def test_failed_steps_are_not_tried_again_without_money_for_the_rest(
    start, finish, cost, budget, editor
):
    cost(picture="0.5")
    run = start(candidates=2)
    expenses.record(run, "generate-00", "fake", 1)
    Run.objects.filter(pk=run.pk).update(state=RunState.FAILED)
    start(candidates=1)
    with pytest.raises(QuotaExceeded, match="this needs 0.50"):
        RetryFailedSteps(run, editor).execute()
    budget.amount = 2
    SetQuota(budget, None).execute()
    assert RetryFailedSteps(run, editor).execute().state == RunState.QUEUED


@given(
    picture=st.decimals("0", "10", places=6), second=st.decimals("0", "1", places=6),
    pictures=st.integers(0, 16), seconds=st.floats(0, 1e5),
)  # fmt: skip
def test_costs_are_never_less_than_their_parts(picture, second, pictures, seconds):
    whole = Price(picture, second).cost(pictures, seconds)
    assert whole >= picture * pictures and whole.as_tuple().exponent == -6
    assert bool(whole) == bool(picture * pictures or second * Decimal(str(seconds)))


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "0.00"), ("0.1", "0.10"), ("0.042", "0.0420"), ("0.000001", "0.0001"),
     ("12.345678", "12.3457")],
)  # fmt: skip
def test_amounts_are_written_as_people_do(amount, words):
    assert number_in_words(Decimal(amount)) == words


@pytest.mark.parametrize(
    "values", [{"picture": "-1"}, {"picture": "NaN"}, {"hour": "1"}, {"second": "x"}, None, 3]
)
def test_prices_that_cannot_be_meant_are_refused(values):
    with pytest.raises(ImproperlyConfigured, match="ENGINE_PRICES of 'fake'"):
        read_price("fake", values)


def quota(*arguments: str) -> str:
    out = io.StringIO()
    call_command("imagepipe", "quota", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_sets_lists_grants_and_removes(start, finish, cost, editor):
    assert quota("set", "--unit", "cost", "--amount", "5", "--user", "editor") == (
        "5 EUR / Month\n"
    )
    quota("set", "--unit", "cost", "--amount", "7", "--user", "editor")
    quota("set", "--unit", "runs", "--period", "day", "--amount", "9")
    cost(picture="0.25")
    finish(start(candidates=1))
    mine = Quota.objects.get(user=editor)
    request = RequestMore(mine, editor, amount=3, reason="Fair").execute()
    asked = json.loads(quota("requests", "--json"))
    assert [(row["request"], row["who"], row["more"]) for row in asked] == [
        (request.pk, "editor", 3)
    ]
    quota("grant", str(request.pk))
    assert QuotaRequest.objects.get().state == "granted"
    rows = json.loads(quota("list", "--json"))
    assert rows[0] == {
        "quota": mine.pk, "for": "user editor", "amount": 7, "unit": "EUR",
        "period": "month", "used": 0.25, "granted": 3,
    }  # fmt: skip
    assert (rows[1]["for"], rows[1]["used"]) == ("each user", None)
    assert "user editor" in quota("list")
    assert quota("remove", str(mine.pk)) == "7 EUR / Month\n"
    assert Quota.objects.get().unit == "runs"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["set", "--amount", "5"], "--unit"),
        (["set", "--unit", "ships", "--amount", "5"], "--unit"),
        (["set", "--unit", "cost"], "--amount"),
        (["set", "--unit", "cost", "--amount", "5", "--group", "nobody"], "nobody"),
        (["remove"], "imagepipe quota list"),
        (["grant", "99"], "99"),
    ],
)
def test_the_command_says_what_is_missing(arguments, said):
    with pytest.raises(CommandError, match=said):
        quota(*arguments)
    assert not Quota.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_those_who_ask_at_the_same_moment_do_not_get_more_than_there_is(template, cost):
    cost(picture="0.4")
    user = User.objects.create_superuser("ada")
    Quota.objects.create(unit="cost", amount=1)
    together = threading.Barrier(4)

    def ask(number: int) -> bool:
        run = Run(title=str(number), template=template)
        brief = Brief(variables={"subject": "tea"}, candidates=1)
        together.wait()
        try:
            StartRun(run, user, brief=brief).execute()
        except QuotaExceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(ask, range(4)))
    assert sum(started) == Run.objects.count() == 2
