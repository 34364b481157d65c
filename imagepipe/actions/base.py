"""The shape of every change of state: check permission, change, audit, follow up.

Built on Wagtail's own action class, so that actions can be registered with its registry.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils.translation import gettext as _
from wagtail.actions.base import BaseAction

from imagepipe.audit import trail

Subject = TypeVar("Subject", bound=models.Model)
Outcome = TypeVar("Outcome")


class Action(BaseAction, Generic[Subject, Outcome]):
    """One verb on one subject.

    Subclasses set ``action_name`` (``"imagepipe.publish"``) and ``permission_policy_action``
    (``"publish"``) and implement :meth:`perform`. ``user=None`` is the system itself (a worker,
    a scheduled job) and is not asked for permission.

    Raises ``PermissionDenied`` and the errors in :mod:`imagepipe.exceptions`.
    """

    action_name: ClassVar[str]
    permission_policy_action: str | None = None

    def __init__(self, instance: Subject, user: AbstractBaseUser | None) -> None:
        super().__init__(instance, user)
        self.audit_data: dict[str, Any] = {}

    def perform(self) -> Outcome:
        """Change the state, inside a transaction; fill ``audit_data`` for the audit event."""
        raise NotImplementedError

    def audit_chain(self) -> str:
        """Identifier of the chain that the event is appended to."""
        uid = getattr(self.instance, "uid", None)
        if uid is not None:
            return str(uid.hex)
        return f"{self.instance._meta.model_name}:{self.instance.pk}"

    def permission_subject(self) -> models.Model:
        """The object whose collection decides; the subject itself unless overridden."""
        return self.instance

    def user_has_permission(self) -> bool:
        from wagtail.permissions import policy_registry

        subject = self.permission_subject()
        return bool(
            policy_registry.get(subject).user_has_permission_for_instance(
                self.user, self.permission_policy_action, subject
            )
        )

    def check(self, skip_permission_checks: bool = False) -> None:
        if self.user is None or skip_permission_checks:
            return
        if not self.user.is_active or not self.user_has_permission():
            raise PermissionDenied(_("You do not have permission to do this."))

    def execute(self, skip_permission_checks: bool = False) -> Outcome:
        self.check(skip_permission_checks)
        with transaction.atomic():
            outcome = self.perform()
            trail.record(self.audit_chain(), self.action_name, self.user, self.audit_data)
        return outcome
