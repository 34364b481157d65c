"""Which runs, candidates and assets a person may see, and what they may do with them.

Who holds any verb on a collection sees what lies in it; each verb itself is checked by the
action.
"""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.shortcuts import get_object_or_404
from wagtail.models import Collection
from wagtail.permissions import policy_registry

from imagepipe.assets.models import Asset
from imagepipe.permissions import VERBS
from imagepipe.workflow.models import Candidate, Run

MAKING = ("view", "generate", "review")
"""The verbs that show runs and candidates, which are private until they are accepted."""


def may(user: AbstractBaseUser, verb: str, subject: Run | Asset | None = None) -> bool:
    """Whether the person holds the verb for the subject, or for any collection at all."""
    policy = policy_registry.get_by_type(Asset)
    if subject is None:
        return bool(policy.user_has_permission(user, verb))
    return bool(policy.user_has_permission_for_instance(user, verb, subject))


def may_any(user: AbstractBaseUser, verbs: tuple[str, ...] = VERBS) -> bool:
    return bool(policy_registry.get_by_type(Asset).user_has_any_permission(user, verbs))


def verbs_on(user: AbstractBaseUser, subject: Run | Asset) -> dict[str, bool]:
    """Every verb and whether the person holds it for the subject; templates use this."""
    return {verb: may(user, verb, subject) for verb in VERBS}


def collections_for(user: AbstractBaseUser, verb: str) -> models.QuerySet[Collection]:
    policy = policy_registry.get_by_type(Asset)
    return policy.collections_user_has_permission_for(user, verb)


def visible_runs(user: AbstractBaseUser) -> models.QuerySet[Run]:
    return policy_registry.get_by_type(Run).instances_user_has_any_permission_for(user, MAKING)


def visible_assets(user: AbstractBaseUser) -> models.QuerySet[Asset]:
    return policy_registry.get_by_type(Asset).instances_user_has_any_permission_for(user, VERBS)


def visible_candidates(user: AbstractBaseUser) -> models.QuerySet[Candidate]:
    return Candidate.objects.filter(run__in=visible_runs(user)).select_related("run")


def open_run(user: AbstractBaseUser, uid: uuid.UUID) -> Run:
    """The run. Raises Http404, or PermissionDenied where it is not the person's to see."""
    run = get_object_or_404(
        Run.objects.select_related(
            "template", "model", "collection", "created_by", "replay_of__asset"
        ),
        uid=uid,
    )
    policy = policy_registry.get_by_type(Run)
    if not policy.user_has_any_permission_for_instance(user, MAKING, run):
        raise PermissionDenied
    return run


def open_candidate(user: AbstractBaseUser, uid: uuid.UUID) -> Candidate:
    """The candidate; refused as its run would be."""
    candidate = get_object_or_404(
        Candidate.objects.select_related("run__collection", "run__model", "version__asset"),
        uid=uid,
    )
    open_run(user, candidate.run.uid)
    return candidate


def open_asset(user: AbstractBaseUser, uid: uuid.UUID) -> Asset:
    """The asset. Raises Http404, or PermissionDenied where it is not the person's to see."""
    asset = get_object_or_404(
        Asset.objects.select_related("collection", "published_version", "created_by"), uid=uid
    )
    policy = policy_registry.get_by_type(Asset)
    if not policy.user_has_any_permission_for_instance(user, VERBS, asset):
        raise PermissionDenied
    return asset
