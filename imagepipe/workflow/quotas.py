"""Whether a new run is within the quotas that hold for who asks; nothing is queued beyond."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import DurationField, F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from wagtail.models import Site

from imagepipe.workflow.exceptions import QuotaExceeded
from imagepipe.workflow.models import FINISHED, Candidate, Run
from imagepipe.workflow.queue_models import Quota, QuotaRequest

Unit, Period = Quota.Unit, Quota.Period


def check(
    user: AbstractBaseUser | None, site: Site | None, *, pictures: int, seconds: float
) -> None:
    """Raise ``QuotaExceeded`` when one more run would go beyond a quota.

    The system itself (``user`` is None) is bound by the quotas of sites only.
    """
    wanted = {Unit.RUNS: 1, Unit.PICTURES: pictures, Unit.SECONDS: seconds}
    for quota in quotas_of(user, site):
        amount = allowed(quota, user)
        used = usage(quota, user)
        if used + wanted[Unit(quota.unit)] > amount:
            raise QuotaExceeded(quota, _sentence(quota, used, amount))


def quotas_of(user: AbstractBaseUser | None, site: Site | None) -> list[Quota]:
    """Return the quotas that hold for a user on a site, the narrowest first."""
    mine = Q(site=site) if site is not None else Q(pk=None)
    if user is not None:
        everybody = Q(user=None, group=None, site=None)
        mine |= everybody | Q(user=user) | Q(group__in=user.groups.all())
    rows = Quota.objects.filter(mine).distinct().select_related("group", "site")
    own = [quota for quota in rows if quota.user_id is not None]
    # A quota of one's own replaces the one that holds for everybody.
    replaced = {(quota.unit, quota.period) for quota in own}
    others = [
        quota
        for quota in rows
        if quota.user_id is None
        and (quota.group_id or quota.site_id or (quota.unit, quota.period) not in replaced)
    ]
    return own + others


def applies_to(quota: Quota, user: AbstractBaseUser) -> bool:
    """Whether the quota holds for this user."""
    if user.pk is None:
        return False
    if quota.user_id is not None:
        return quota.user_id == user.pk
    if quota.group_id is not None:
        return user.groups.filter(pk=quota.group_id).exists()
    return True


def allowed(quota: Quota, user: AbstractBaseUser | None) -> int:
    """Return the amount of the current period with what was granted on top."""
    granted = QuotaRequest.objects.filter(
        quota=quota, state=QuotaRequest.State.GRANTED, valid_until__gt=timezone.now()
    )
    if not (quota.user_id or quota.group_id or quota.site_id):
        granted = granted.filter(user=user)
    return quota.amount + (granted.aggregate(sum=Sum("amount"))["sum"] or 0)


def usage(quota: Quota, user: AbstractBaseUser | None) -> float:
    """Return what was used in the current period, with what waits or runs now."""
    runs = _runs(quota, user)
    if quota.unit == Unit.RUNS:
        return runs.count()
    waiting, ended = runs.exclude(state__in=FINISHED), runs.filter(state__in=FINISHED)
    if quota.unit == Unit.PICTURES:
        made = Candidate.objects.filter(run__in=ended).count()
        seeds = waiting.values_list("request__seeds", flat=True)
        return made + sum(len(these or ()) for these in seeds)
    taken = F("finished_at") - F("started_at")
    worked = ended.aggregate(sum=Sum(taken, output_field=DurationField()))["sum"]
    expected = waiting.aggregate(sum=Sum("estimated_seconds"))["sum"]
    return (worked.total_seconds() if worked else 0) + (expected or 0)


def _runs(quota: Quota, user: AbstractBaseUser | None) -> QuerySet[Run]:
    runs = Run.objects.filter(created_at__gte=period_of(quota.period)[0])
    if quota.site_id is not None:
        return runs.filter(site=quota.site_id)
    if quota.group_id is not None:
        return runs.filter(created_by__groups=quota.group_id)
    return runs.filter(created_by=quota.user_id or user)


def _sentence(quota: Quota, used: float, amount: int) -> str:
    return _(
        "Your quota is used up: %(used)d of %(amount)d (%(unit)s) until %(end)s. "
        "Ask for more, or start again then."
    ) % {
        "used": used,
        "amount": amount,
        "unit": quota.get_unit_display(),
        "end": date_format(period_of(quota.period)[1], "SHORT_DATETIME_FORMAT"),
    }


def period_of(period: str, now: dt.datetime | None = None) -> tuple[dt.datetime, dt.datetime]:
    """Return begin and end of the current day, week (from Monday) or month, local time."""
    now = timezone.localtime(now)
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == Period.DAY:
        return begin, begin + dt.timedelta(days=1)
    if period == Period.WEEK:
        begin -= dt.timedelta(days=begin.weekday())
        return begin, begin + dt.timedelta(days=7)
    begin = begin.replace(day=1)
    return begin, (begin + dt.timedelta(days=32)).replace(day=1)
