"""Whether a new run is within the quotas that hold for who asks; nothing is queued beyond."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.db.models import DurationField, F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from wagtail.models import Site

from imagepipe.generation.prices import number_in_words
from imagepipe.workflow.exceptions import QuotaExceeded
from imagepipe.workflow.expenses import spent_and_reserved
from imagepipe.workflow.models import FINISHED, Candidate, Run
from imagepipe.workflow.queue_models import Quota, QuotaRequest

Unit, Period = Quota.Unit, Quota.Period


def wanted(
    runs: int, pictures: int, seconds: float | None, cost: Decimal
) -> dict[str, Decimal]:
    """Return what work takes of quotas, by their units; ``seconds`` None: not known."""
    return {
        str(Unit.RUNS): Decimal(runs),
        str(Unit.PICTURES): Decimal(pictures),
        str(Unit.SECONDS): Decimal(str(seconds or 0)),
        str(Unit.COST): cost,
    }


def check(
    user: AbstractBaseUser | None, site: Site | None, wants: Mapping[str, Decimal]
) -> None:
    """Raise ``QuotaExceeded`` when more work would go beyond a quota; call in a transaction.

    The system itself (``user`` is None) is bound by the quotas of sites only. The quotas stay
    locked until the transaction ends, so that nobody else takes what is left meanwhile.
    """
    found = [quota for quota in quotas_of(user, site) if quota.unit in wants]
    if found and connection.features.has_select_for_update:
        rows = Quota.objects.filter(pk__in=[quota.pk for quota in found])
        list(rows.select_for_update().order_by("pk").values_list("pk"))
    for quota in found:
        want, used, amount = wants[quota.unit], usage(quota, user), allowed(quota, user)
        if not suffices(quota, used, want, amount):
            raise QuotaExceeded(quota, _sentence(quota, used, want, amount))


def suffices(quota: Quota, used: Decimal, want: Decimal, amount: int) -> bool:
    """Whether the quota bears this as well; what takes nothing of it is never too much."""
    takes = bool(want) or quota.unit == Unit.SECONDS  # the time may only not be known yet
    return not takes or used + want <= amount


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


def usage(quota: Quota, user: AbstractBaseUser | None) -> Decimal:
    """Return what was used in the current period, with what waits or runs now."""
    runs = _runs(quota, user)
    if quota.unit == Unit.RUNS:
        return Decimal(runs.count())
    if quota.unit == Unit.COST:
        return spent_and_reserved(runs)
    waiting, ended = runs.exclude(state__in=FINISHED), runs.filter(state__in=FINISHED)
    if quota.unit == Unit.PICTURES:
        made = Candidate.objects.filter(run__in=ended).count()
        seeds = waiting.values_list("request__seeds", flat=True)
        return Decimal(made + sum(len(these or ()) for these in seeds))
    taken = F("finished_at") - F("started_at")
    worked = ended.aggregate(sum=Sum(taken, output_field=DurationField()))["sum"]
    expected = waiting.aggregate(sum=Sum("estimated_seconds"))["sum"]
    return Decimal(str((worked.total_seconds() if worked else 0) + (expected or 0)))


def _runs(quota: Quota, user: AbstractBaseUser | None) -> QuerySet[Run]:
    runs = Run.objects.filter(created_at__gte=period_of(quota.period)[0])
    if quota.site_id is not None:
        return runs.filter(site=quota.site_id)
    if quota.group_id is not None:
        return runs.filter(created_by__groups=quota.group_id)
    return runs.filter(created_by=quota.user_id or user)


def in_words(quota: Quota, value: Decimal) -> str:
    """An amount of the quota's unit, without the unit."""
    return number_in_words(value) if quota.unit == Unit.COST else str(math.ceil(value))


def _sentence(quota: Quota, used: Decimal, want: Decimal, amount: int) -> str:
    return _(
        "Your quota does not suffice: %(used)s of %(amount)d (%(unit)s) are used until "
        "%(end)s, and this needs %(wanted)s. Ask for more, or start again then."
    ) % {
        "used": in_words(quota, used),
        "amount": amount,
        "unit": quota.unit_name,
        "wanted": in_words(quota, want),
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
