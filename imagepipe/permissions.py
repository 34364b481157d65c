"""Who may do what: rights are given per collection, through Wagtail's group settings.

The verbs on assets are ``view``, ``generate``, ``change``, ``review``, ``license`` and
``publish``; each is a permission of the asset model that a group holds for a collection and
everything below it.
"""

from __future__ import annotations

from wagtail.permission_policies.collections import CollectionPermissionPolicy
from wagtail.permissions import register_permission_policy

from imagepipe.assets.models import Asset
from imagepipe.workflow.models import Run

VERBS = ("view", "generate", "change", "review", "license", "publish")

asset_policy = CollectionPermissionPolicy(Asset)
run_policy = CollectionPermissionPolicy(Run, auth_model=Asset)


def register() -> None:
    register_permission_policy(Asset, asset_policy)
    register_permission_policy(Run, run_policy)
