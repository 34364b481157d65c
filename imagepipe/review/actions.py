from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import AssetVersion
from imagepipe.conf import get_settings
from imagepipe.events.bus import AssetChanged, emit
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.review.models import Review


class _Decision(Action[AssetVersion, AssetVersion]):
    permission_policy_action = "review"
    target: AssetVersion.State
    decision: Review.Decision
    reason: str = ""

    def __init__(
        self, instance: AssetVersion, user: AbstractBaseUser | None, *, note: str = ""
    ) -> None:
        super().__init__(instance, user)
        self.note = note.strip()

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> AssetVersion:
        version = AssetVersion.objects.select_for_update().get(pk=self.instance.pk)
        state = AssetVersion.State(version.state)
        if self.target not in AssetVersion.TRANSITIONS[state]:
            raise InvalidState(
                _("Version %(number)d is “%(state)s”; this decision is not possible any more.")
                % {"number": version.number, "state": state.label}
            )
        version.state = self.instance.state = self.target
        version.save(update_fields=["state"])
        Review.objects.create(
            version=version,
            decision=self.decision,
            reason=self.reason,
            note=self.note,
            reviewer=self.user,
        )
        self.audit_data = {
            "version": version.number,
            "reason": self.reason,
            "note": self.note,
        }
        return version


class ApproveVersion(_Decision):
    """Release a draft for publication. With ``FOUR_EYES`` the creator cannot do it."""

    action_name = "imagepipe.approve"
    target = AssetVersion.State.APPROVED
    decision = Review.Decision.APPROVED

    def perform(self) -> AssetVersion:
        own = self.user is not None and self.instance.created_by_id == self.user.pk
        if get_settings().FOUR_EYES and own:
            raise PermissionDenied(_("Somebody other than the creator has to approve this."))
        return super().perform()


class RejectVersion(_Decision):
    """Turn a version down, with a reason from :class:`Review.Reason`."""

    action_name = "imagepipe.reject"
    target = AssetVersion.State.REJECTED
    decision = Review.Decision.REJECTED

    def __init__(
        self,
        instance: AssetVersion,
        user: AbstractBaseUser | None,
        *,
        reason: str,
        note: str = "",
    ) -> None:
        super().__init__(instance, user, note=note)
        if reason not in Review.Reason.values:
            raise ImagepipeError(_("Say why the picture is rejected."))
        self.reason = reason

    def perform(self) -> AssetVersion:
        version = super().perform()
        emit(AssetChanged(version.asset.uid.hex))
        return version
