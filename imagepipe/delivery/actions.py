"""Publishing and withdrawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.delivery.images import project_quietly
from imagepipe.delivery.outbox import request_publication
from imagepipe.delivery.requirements import require_publishable
from imagepipe.exceptions import InvalidState

if TYPE_CHECKING:
    from imagepipe.delivery.models import Publication

State = AssetVersion.State


class PublishVersion(Action[AssetVersion, "Publication"]):
    """Make an approved version the one that visitors see; withdrawn and replaced ones too.

    Raises InvalidState, and MissingRequirement that names what is absent: ``rights``,
    ``consent``, ``runtime``, ``alt``, ``alt-stale`` (the last two are not asked of a
    decorative picture; ``decorative`` marks it as one).
    """

    action_name = "imagepipe.publish"
    permission_policy_action = "publish"

    def __init__(
        self, version: AssetVersion, user: AbstractBaseUser | None, *, decorative: bool = False
    ) -> None:
        super().__init__(version, user)
        self.decorative = decorative

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> Publication:
        asset = Asset.objects.select_for_update().get(pk=self.instance.asset_id)
        version = self.instance
        locked = AssetVersion.objects.select_for_update()  # nobody rejects it meanwhile
        version.refresh_from_db(fields=["state"], from_queryset=locked)
        self._require_state(version)
        asset.decorative = asset.decorative or self.decorative
        require_publishable(asset, version)
        previous = asset.published_version
        if previous is not None:
            _move(previous, "superseded")
        _move(version, "published")
        asset.published_version = version
        asset.withdrawn_at, asset.withdrawn_reason = None, ""
        changed = ("published_version", "withdrawn_at", "withdrawn_reason", "decorative")
        asset.save(update_fields=changed)
        self.instance.asset = asset
        publication = request_publication(asset)
        self.audit_data = {
            "version": version.number,
            "sha256": version.sha256,
            "replaces": previous.number if previous else None,
            "decorative": asset.decorative,
        }
        _project_on_commit(asset)
        return publication

    def _require_state(self, version: AssetVersion) -> None:
        allowed = {State.APPROVED, State.SUPERSEDED, State.WITHDRAWN}
        if get_settings().APPROVAL == "off":
            allowed.add(State.DRAFT)
        if version.state == State.PUBLISHED:
            raise InvalidState(_("This version is published already."))
        if version.state not in allowed:
            raise InvalidState(_("Only an approved version can be published."))


class WithdrawAsset(Action[Asset, "Publication"]):
    """Take the picture away from every page, address and cache; nothing is destroyed."""

    action_name = "imagepipe.withdraw"
    permission_policy_action = "publish"

    def __init__(self, asset: Asset, user: AbstractBaseUser | None, *, reason: str) -> None:
        super().__init__(asset, user)
        self.reason = reason.strip()

    def perform(self) -> Publication:
        asset = Asset.objects.select_for_update().get(pk=self.instance.pk)
        version = asset.published_version
        if version is None:
            raise InvalidState(_("Nothing of this picture is published."))
        _move(version, "withdrawn")
        asset.published_version = None
        asset.withdrawn_at = timezone.now()
        asset.withdrawn_reason = self.reason[:255]
        asset.save(update_fields=["published_version", "withdrawn_at", "withdrawn_reason"])
        for field in ("published_version", "withdrawn_at", "withdrawn_reason"):
            setattr(self.instance, field, getattr(asset, field))
        publication = request_publication(asset)
        self.audit_data = {"version": version.number, "reason": self.reason}
        _project_on_commit(asset)
        return publication


def _move(version: AssetVersion, state: str) -> None:
    version.state = state
    version.save(update_fields=["state"])


def _project_on_commit(asset: Asset) -> None:
    uid = asset.uid
    transaction.on_commit(lambda: project_quietly(uid), robust=True)
