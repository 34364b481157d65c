"""Setting and removing quotas; asking for more than one allows, and deciding about it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.events.bus import MoreDecided, MoreRequested, emit
from imagepipe.exceptions import InvalidState
from imagepipe.workflow.queue_models import Quota, QuotaRequest
from imagepipe.workflow.quotas import applies_to, period_of

MAY_DECIDE = "imagepipe.change_quota"
SUBJECTS = ("user", "group", "site")


class RequestMore(Action[Quota, QuotaRequest]):
    """Ask those who decide for more of a quota until its period ends."""

    action_name = "imagepipe.quota.request_more"
    permission_policy_action = "own"

    def __init__(
        self, quota: Quota, user: AbstractBaseUser | None, *, amount: int, reason: str = ""
    ) -> None:
        super().__init__(quota, user)
        self.amount = amount
        self.reason = reason

    def user_has_permission(self) -> bool:
        """Everybody whom the quota holds for may ask."""
        return self.user is not None and applies_to(self.instance, self.user)

    def perform(self) -> QuotaRequest:
        who = self.user or self.instance.user
        if who is None or self.amount < 1:
            raise InvalidState(_("Say how much more is needed, at least 1."))
        waiting = self.instance.requests.filter(user=who, state=QuotaRequest.State.OPEN)
        if waiting.filter(valid_until__gt=timezone.now()).exists():
            raise InvalidState(_("You have asked already; somebody has to decide first."))
        request = QuotaRequest.objects.create(
            quota=self.instance,
            user=who,
            amount=self.amount,
            reason=self.reason.strip()[:500],
            valid_until=period_of(self.instance.period)[1],
        )
        self.audit_data = {"amount": self.amount, "reason": request.reason}
        emit(MoreRequested(request.pk))
        return request


class DecideRequest(Action[QuotaRequest, QuotaRequest]):
    """Grant or refuse what somebody asked for."""

    action_name = "imagepipe.quota.decide"
    permission_policy_action = "change_quota"

    def __init__(
        self, request: QuotaRequest, user: AbstractBaseUser | None, *, grant: bool
    ) -> None:
        super().__init__(request, user)
        self.grant = grant

    def user_has_permission(self) -> bool:
        return self.user is not None and self.user.has_perm(MAY_DECIDE)

    def perform(self) -> QuotaRequest:
        states = QuotaRequest.State
        target = states.GRANTED if self.grant else states.REFUSED
        changed = QuotaRequest.objects.filter(pk=self.instance.pk, state=states.OPEN).update(
            state=target, decided_at=timezone.now(), decided_by=self.user
        )
        self.instance.refresh_from_db()
        if not changed:
            raise InvalidState(_("This request is decided already."))
        self.audit_data = {"state": str(target), "amount": self.instance.amount}
        emit(MoreDecided(self.instance.pk))
        return self.instance


class SetQuota(Action[Quota, Quota]):
    """Save a new quota, or a changed one: for one user, group or site, or for each user."""

    action_name = "imagepipe.quota.set"
    permission_policy_action = "change_quota"

    def user_has_permission(self) -> bool:
        return self.user is not None and self.user.has_perm(MAY_DECIDE)

    def perform(self) -> Quota:
        quota = self.instance
        subject = {name: getattr(quota, f"{name}_id") for name in SUBJECTS}
        if sum(key is not None for key in subject.values()) > 1:
            raise InvalidState(_("A quota is for one user, one group or one site."))
        same = Quota.objects.filter(unit=quota.unit, period=quota.period, **subject)
        if same.exclude(pk=quota.pk).exists():
            raise InvalidState(_("There is a quota of this unit and period already."))
        before = Quota.objects.filter(pk=quota.pk).values_list("amount", flat=True).first()
        quota.save()
        self.audit_data = _facts(quota) | {"before": before}
        return quota


class RemoveQuota(Action[Quota, None]):
    """Delete a quota, and with it what was asked for and granted on top."""

    action_name = "imagepipe.quota.remove"
    permission_policy_action = "change_quota"

    def user_has_permission(self) -> bool:
        return self.user is not None and self.user.has_perm(MAY_DECIDE)

    def audit_chain(self) -> str:
        return self._chain

    def perform(self) -> None:
        self._chain = super().audit_chain()
        self.audit_data = _facts(self.instance)
        self.instance.delete()


def _facts(quota: Quota) -> dict[str, object]:
    subject = {name: getattr(quota, f"{name}_id") for name in SUBJECTS}
    return subject | {"unit": quota.unit, "period": quota.period, "amount": quota.amount}
