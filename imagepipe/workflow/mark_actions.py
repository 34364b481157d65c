"""Pinning candidates for everybody who works on a run, and starring them for oneself."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from wagtail.permissions import policy_registry

from imagepipe.actions.base import Action
from imagepipe.workflow.mark_models import Star
from imagepipe.workflow.models import Candidate, Run


def _holds_any(user: AbstractBaseUser | None, verbs: tuple[str, ...], run: Run) -> bool:
    policy = policy_registry.get(run)
    return bool(policy.user_has_any_permission_for_instance(user, verbs, run))


class PinCandidate(Action[Candidate, Candidate]):
    """Show a candidate before the others of its run, or among them again."""

    action_name = "imagepipe.candidate.pin"
    permission_policy_action = "generate"
    VERBS: ClassVar = ("generate", "review")

    def __init__(
        self, candidate: Candidate, user: AbstractBaseUser | None, *, on: bool
    ) -> None:
        super().__init__(candidate, user)
        self.on = on

    def permission_subject(self) -> models.Model:
        return self.instance.run

    def user_has_permission(self) -> bool:
        """Who makes or judges the pictures of the run."""
        return _holds_any(self.user, self.VERBS, self.instance.run)

    def perform(self) -> Candidate:
        Candidate.objects.filter(pk=self.instance.pk).update(pinned=self.on)
        self.instance.pinned = self.on
        self.audit_data = {"pinned": self.on}
        return self.instance


class StarCandidate(Action[Star, bool]):
    """Remember a candidate for ``star.user``, or forget it."""

    action_name = "imagepipe.candidate.star"
    permission_policy_action = "view"
    VERBS: ClassVar = ("view", "generate", "review")

    def __init__(self, star: Star, user: AbstractBaseUser | None, *, on: bool) -> None:
        super().__init__(star, user)
        self.on = on

    def permission_subject(self) -> models.Model:
        return self.instance.candidate.run

    def audit_chain(self) -> str:
        return str(self.instance.candidate.uid.hex)

    def user_has_permission(self) -> bool:
        """Everybody who sees the run, for themselves."""
        own = self.user is not None and self.instance.user_id == self.user.pk
        return own and _holds_any(self.user, self.VERBS, self.instance.candidate.run)

    def perform(self) -> bool:
        of = {"candidate": self.instance.candidate, "user": self.instance.user}
        if self.on:
            Star.objects.get_or_create(**of)
        else:
            Star.objects.filter(**of).delete()
        self.audit_data = {"starred": self.on}
        return self.on


def starred_by(user: AbstractBaseUser, run: Run) -> frozenset[int]:
    """Keys of the run's candidates that the person starred."""
    stars = Star.objects.filter(user_id=user.pk, candidate__run=run)
    return frozenset(stars.values_list("candidate", flat=True))
