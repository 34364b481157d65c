"""What several runs will take before they are started: pictures, time, money, quotas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser

from imagepipe.generation.prices import price_of
from imagepipe.workflow import quotas
from imagepipe.workflow.clock import database_now
from imagepipe.workflow.durations import Basis, Job, expect
from imagepipe.workflow.forecasts import alive, finished_runs
from imagepipe.workflow.production import Plan
from imagepipe.workflow.queue_models import Quota


@dataclass(frozen=True, slots=True)
class QuotaShare:
    """What one quota would be after the runs; ``wanted`` is what they take of it."""

    quota: Quota
    used: Decimal
    wanted: Decimal
    amount: int

    @property
    def suffices(self) -> bool:
        return quotas.suffices(self.quota, self.used, self.wanted, self.amount)

    @property
    def used_in_words(self) -> str:
        return quotas.in_words(self.quota, self.used)

    @property
    def wanted_in_words(self) -> str:
        return quotas.in_words(self.quota, self.wanted)


@dataclass(frozen=True, slots=True)
class Estimate:
    """``seconds`` of computing, None where nothing like it was made yet; ``workers`` alive."""

    runs: int
    pictures: int
    seconds: float | None
    basis: Basis
    cost: Decimal
    """At today's prices; what a second costs counts only if ``seconds`` is known."""
    workers: int
    shares: tuple[QuotaShare, ...]

    @property
    def elapsed(self) -> float | None:
        """Seconds until the end if all workers do nothing else; None: not known."""
        if self.seconds is None or not self.workers:
            return None
        return self.seconds / min(self.workers, self.runs)

    @property
    def refused_by(self) -> QuotaShare | None:
        return next((share for share in self.shares if not share.suffices), None)


def estimate(
    plans: Sequence[tuple[int | None, Plan]], user: AbstractBaseUser | None
) -> Estimate:
    """Return the estimate for one run per plan, each with the key of its model."""
    past = finished_runs()
    expected = [expect(_job(model, plan), past) for model, plan in plans]
    known = [one.seconds for one in expected if one.seconds is not None]
    seconds = sum(known) if known and len(known) == len(expected) else None
    pictures = sum(len(plan.seeds) for _model, plan in plans)
    cost = _cost(plans, [one.seconds for one in expected])
    order = list(Basis)
    return Estimate(
        runs=len(plans),
        pictures=pictures,
        seconds=seconds,
        basis=max((one.basis for one in expected), key=order.index, default=Basis.NOTHING),
        cost=cost,
        workers=alive(database_now()).count(),
        shares=shares_of(user, quotas.wanted(len(plans), pictures, seconds, cost)),
    )


def shares_of(
    user: AbstractBaseUser | None, wanted: Mapping[str, Decimal]
) -> tuple[QuotaShare, ...]:
    """Return what work would leave of the quotas that hold for a user."""
    return tuple(
        QuotaShare(
            quota,
            quotas.usage(quota, user),
            wanted[quota.unit],
            quotas.allowed(quota, user),
        )
        for quota in quotas.quotas_of(user, None)
        if quota.unit in wanted
    )


def _cost(
    plans: Sequence[tuple[int | None, Plan]], seconds: Sequence[float | None]
) -> Decimal:
    prices = {name: price_of(name) for name in {plan.model["backend"] for _m, plan in plans}}
    each = (
        prices[plan.model["backend"]].cost(len(plan.seeds), taken or 0.0)
        for (_model, plan), taken in zip(plans, seconds, strict=True)
    )
    return sum(each, Decimal(0))


def _job(model: int | None, plan: Plan) -> Job:
    return Job(model, len(plan.seeds), plan.steps, plan.native_width * plan.native_height)
