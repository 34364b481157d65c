"""Money in words: what is about to be spent, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imagepipe.generation.prices import in_money, number_in_words, price_of
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.access import may
from imagepipe.views.asked_model import asked_model
from imagepipe.workflow import expenses
from imagepipe.workflow.durations import Job, expect
from imagepipe.workflow.estimates import shares_of
from imagepipe.workflow.forecasts import finished_runs
from imagepipe.workflow.models import Run
from imagepipe.workflow.production import MAX_CANDIDATES
from imagepipe.workflow.queue_models import Quota


@never_cache
@require_safe
def generation_cost(request: HttpRequest) -> JsonResponse:
    """What so many ``candidates`` cost, as sentences; empty where they are free."""
    if not may(request.user, "generate"):
        raise PermissionDenied
    model = asked_model(request.GET)
    number = request.GET.get("candidates", "")
    if model is None or not (number.isdecimal() and len(number) < 4):
        return JsonResponse({"cost": ""})
    pictures = min(MAX_CANDIDATES, int(number))
    cost = _cost(model, pictures)
    return JsonResponse({"cost": sentences(request.user, cost, pictures) if cost else ""})


def sentences(user: AbstractBaseUser, cost: Decimal, pictures: int) -> str:
    """The cost of so many pictures, and what it leaves of the user's quotas of money."""
    about = ngettext(
        "About %(cost)s for %(count)d picture.",
        "About %(cost)s for %(count)d pictures.",
        pictures,
    ) % {"cost": in_money(cost), "count": pictures}
    shares = shares_of(user, {str(Quota.Unit.COST): cost})
    used = [
        _("%(used)s are used of %(amount)d %(quota)s.")
        % {"used": share.used_in_words, "amount": share.amount, "quota": _period(share.quota)}
        for share in shares
    ]
    short = not all(share.suffices for share in shares)
    return " ".join([about, *used, *([_("That is more than is left.")] if short else [])])


def _period(quota: Quota) -> str:
    return f"{quota.unit_name} / {quota.get_period_display()}"


def _cost(model: RegisteredModel, pictures: int) -> Decimal:
    """At the size and steps of the model; the page of the run says it for those asked for."""
    price = price_of(model.backend)
    if not price.second:
        return price.cost(pictures, 0)
    steps = model.defaults.get("steps", 0) if isinstance(model.defaults, dict) else 0
    job = Job(model.pk, pictures, steps, model.native_width * model.native_height)
    return price.cost(pictures, expect(job, finished_runs()).seconds or 0)


@dataclass(frozen=True)
class RunCost:
    """What a run has cost, or will; ``steps`` are pairs of step with engine, and amount."""

    words: str
    steps: tuple[tuple[str, str], ...]


def cost_of(run: Run) -> RunCost | None:
    """None: it is free."""
    spent, rows = expenses.spent(run), list(run.expenses.all())
    if not rows and not run.estimated_cost:
        return None
    words = in_money(spent)
    if not run.is_finished and run.estimated_cost:
        facts = {"spent": words, "cost": in_money(run.estimated_cost)}
        words = _("%(spent)s of about %(cost)s") % facts
    steps = tuple(
        (f"{row.node}, {row.engine}", f"{number_in_words(row.amount)} {row.currency}")
        for row in rows
    )
    return RunCost(words, steps)

