"""Money: what a run is expected to cost, and what was spent on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from imagepipe.conf import get_settings
from imagepipe.generation.exceptions import Cancelled
from imagepipe.generation.prices import price_of
from imagepipe.generation.request import OnStep, Result
from imagepipe.workflow.models import FINISHED, Run
from imagepipe.workflow.queue_models import Expense

PAID = ("generate", "replay")
"""Kinds of steps that ask an engine."""
NOTHING = Decimal(0)
MONEY: DecimalField[Any, Any] = DecimalField(max_digits=16, decimal_places=6)

Charge = Callable[[str, float], None]
"""Writes down what an engine asks for one picture, after so many seconds."""


def expected_cost(run: Run, seconds: float | None) -> Decimal:
    """Return what a run will cost at today's prices; ``seconds`` are those of all its steps.

    A picture that is made again because the checks refuse it is not expected.
    """
    nodes = run.graph.get("nodes", {}).values()
    asked = [
        (node["params"].get("model") or {}).get("backend") or _engine(run)
        for node in nodes
        if node["kind"] in PAID and "when" not in node
    ]
    each = (seconds or 0.0) / max(1, len(asked))
    engines = {engine: asked.count(engine) for engine in asked if engine}
    costs = (price_of(name).cost(count, count * each) for name, count in engines.items())
    return sum(costs, NOTHING)


def record(run: Run, node: str, engine: str, seconds: float) -> None:
    """Write down what a picture cost, at once: whoever loses the run has spent it all the same.

    What is free is not written.
    """
    amount = price_of(engine).cost(1, seconds)
    if not amount:
        return
    Expense.objects.create(
        run=run,
        node=node,
        engine=engine,
        seconds=seconds,
        amount=amount,
        currency=get_settings().CURRENCY,
        spent_at=timezone.now(),
    )


def metered(
    engine: str, make: Callable[[OnStep], Result], on_step: OnStep, charge: Charge
) -> Result:
    """Let an engine make a picture and charge for it.

    A picture that is cancelled once the engine was asked counts as well: who sells pictures
    does not take them back. The first call of ``on_step`` comes before the engine is asked.
    """
    started, calls = time.monotonic(), 0

    def told(step: int, steps: int, preview: bytes | None) -> None:
        nonlocal calls
        calls += 1
        on_step(step, steps, preview)

    try:
        result = make(told)
    except Cancelled:
        if calls > 1:
            charge(engine, time.monotonic() - started)
        raise
    charge(engine, result.seconds)
    return result


def spent(run: Run) -> Decimal:
    """Return what was spent on a run, in the currency of the settings."""
    return _in_currency().filter(run=run).aggregate(sum=Sum("amount"))["sum"] or NOTHING


def outstanding(run: Run) -> Decimal:
    """Return what a run is expected to cost beyond what was spent on it."""
    return max(NOTHING, run.estimated_cost - spent(run))


def spent_and_reserved(runs: QuerySet[Run]) -> Decimal:
    """Return what was spent on these runs, and what the open ones may still cost."""
    mine = _in_currency().filter(run=OuterRef("pk")).order_by().values("run")
    paid = Coalesce(Subquery(mine.annotate(sum=Sum("amount")).values("sum")), Value(NOTHING))
    open_runs = runs.exclude(state__in=FINISHED).filter(estimated_cost__gt=0)
    left = Greatest(F("estimated_cost") - F("paid"), Value(NOTHING), output_field=MONEY)
    reserved = open_runs.annotate(paid=paid).aggregate(sum=Sum(left))["sum"]
    all_spent = _in_currency().filter(run__in=runs).aggregate(sum=Sum("amount"))["sum"]
    return (all_spent or NOTHING) + (reserved or NOTHING)


def _in_currency() -> QuerySet[Expense]:
    return Expense.objects.filter(currency=get_settings().CURRENCY)


def _engine(run: Run) -> str:
    return run.model.backend if run.model is not None else ""
