"""What several runs will cost before they are started: pictures, time, share of quotas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

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
    used: float
    wanted: float
    amount: int

    @property
    def suffices(self) -> bool:
        return self.used + self.wanted <= self.amount


@dataclass(frozen=True, slots=True)
class Estimate:
    """``seconds`` of computing, None where nothing like it was made yet; ``workers`` alive."""

    runs: int
    pictures: int
    seconds: float | None
    basis: Basis
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
    wanted = {
        Quota.Unit.RUNS: float(len(plans)),
        Quota.Unit.PICTURES: float(pictures),
        Quota.Unit.SECONDS: seconds or 0.0,
    }
    shares = tuple(
        QuotaShare(
            quota,
            quotas.usage(quota, user),
            wanted[Quota.Unit(quota.unit)],
            quotas.allowed(quota, user),
        )
        for quota in quotas.quotas_of(user, None)
    )
    order = list(Basis)
    return Estimate(
        runs=len(plans),
        pictures=pictures,
        seconds=seconds,
        basis=max((one.basis for one in expected), key=order.index, default=Basis.NOTHING),
        workers=alive(database_now()).count(),
        shares=shares,
    )


def _job(model: int | None, plan: Plan) -> Job:
    return Job(model, len(plan.seeds), plan.steps, plan.native_width * plan.native_height)
