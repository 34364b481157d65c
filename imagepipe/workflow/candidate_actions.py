"""Accepting and rejecting what runs offer."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.permissions import policy_registry

from imagepipe.actions.base import Action
from imagepipe.assets import masters
from imagepipe.assets.actions import IngestVersion
from imagepipe.assets.inspection import inspect_picture
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.credentials import SourceType
from imagepipe.exceptions import InvalidState
from imagepipe.review.actions import ApproveVersion
from imagepipe.review.models import Review
from imagepipe.workflow import blobs
from imagepipe.workflow.lineage import edited_asset, parents_of
from imagepipe.workflow.models import Candidate, Run


class AcceptCandidate(Action[Candidate, AssetVersion]):
    """Make an offered picture an asset with a first, approved version.

    With ``asset`` it becomes the next version of that one instead: of the picture that was
    edited, which the person must be allowed to generate for.

    Where four eyes are required, the one who started the run may not accept its pictures.
    """

    action_name = "imagepipe.candidate.accept"
    permission_policy_action = "review"

    def __init__(
        self,
        candidate: Candidate,
        user: AbstractBaseUser | None,
        *,
        title: str | None = None,
        note: str = "",
        asset: Asset | None = None,
    ) -> None:
        super().__init__(candidate, user)
        self.title = title
        self.asset = asset
        self.note = note
        self._content = b""
        self._facts: Any = None

    def permission_subject(self) -> models.Model:
        return self.instance.run

    def user_has_permission(self) -> bool:
        return super().user_has_permission() and (
            self.asset is None
            or policy_registry.get(self.asset).user_has_permission_for_instance(
                self.user, "generate", self.asset
            )
        )

    def execute(self, skip_permission_checks: bool = False) -> AssetVersion:
        self.check(skip_permission_checks)
        if self._facts is None:
            self._prepare()
        return super().execute(skip_permission_checks=True)

    def prepare(self) -> None:
        """Read and store the pixels now, so that a transaction around ``execute`` is short.

        Raises ``PermissionDenied`` and what ``execute`` raises.
        """
        self.check()
        self._prepare()

    def _prepare(self) -> None:
        _require_open(self.instance)
        # Storing them twice is harmless.
        self._content = blobs.read(self.instance.sha256)
        settings = get_settings()
        self._facts = inspect_picture(
            self._content, max_bytes=settings.MAX_UPLOAD_BYTES, max_pixels=settings.MAX_PIXELS
        )
        masters.store(self._content)

    def perform(self) -> AssetVersion:
        candidate = Candidate.objects.select_for_update().get(pk=self.instance.pk)
        _require_open(candidate)
        run = candidate.run
        _require_other_eyes(run, self.user)
        title = (self.title or run.title).strip()[:255]
        if self.asset is not None and self.asset != edited_asset(run):
            raise InvalidState(_("The picture was not made from that one."))
        version = IngestVersion(
            self.asset
            or Asset(
                title=title,
                slug=slugify(title)[:80] or "picture",
                collection=run.collection,
                created_by=run.created_by,
            ),
            self.user,
            content=self._content,
            facts=self._facts,
            origin=str(AssetVersion.Origin.GENERATED),
            source_type=run.request.get("source_type")
            or SourceType.TRAINED_ALGORITHMIC_MEDIA.value,
            recipe=candidate.recipe,
            recipe_sha256=candidate.recipe_sha256,
            parents=parents_of(run),
        ).execute(skip_permission_checks=True)
        ApproveVersion(version, self.user, note=self.note).execute(skip_permission_checks=True)
        candidate.state, candidate.version = Candidate.State.ACCEPTED, version
        candidate.save(update_fields=["state", "version"])
        self.instance.refresh_from_db()
        self.audit_data = {"asset": version.asset.uid.hex, "sha256": version.sha256}
        version.refresh_from_db()
        return version


class RejectCandidate(Action[Candidate, Review]):
    """Turn an offered picture down, with a reason; it stays private and is not published."""

    action_name = "imagepipe.candidate.reject"
    permission_policy_action = "review"

    def __init__(
        self,
        candidate: Candidate,
        user: AbstractBaseUser | None,
        *,
        reason: str,
        note: str = "",
    ) -> None:
        super().__init__(candidate, user)
        self.reason = reason
        self.note = note

    def permission_subject(self) -> models.Model:
        return self.instance.run

    def perform(self) -> Review:
        if self.reason not in Review.Reason.values:
            raise InvalidState(_("Choose a reason from the list."))
        candidate = Candidate.objects.select_for_update().get(pk=self.instance.pk)
        _require_open(candidate)
        candidate.state = Candidate.State.REJECTED
        candidate.save(update_fields=["state"])
        self.instance.refresh_from_db()
        self.audit_data = {"reason": self.reason, "note": self.note}
        return Review.objects.create(
            subject_uid=candidate.uid,
            decision=Review.Decision.REJECTED,
            reason=self.reason,
            note=self.note,
            reviewer=self.user,
        )


def _require_open(candidate: Candidate) -> None:
    if candidate.state != Candidate.State.OFFERED:
        raise InvalidState(
            _("This picture is “%(state)s” already.") % {"state": candidate.get_state_display()}
        )


def _require_other_eyes(run: Run, user: AbstractBaseUser | None) -> None:
    if get_settings().FOUR_EYES and user is not None and run.created_by_id == user.pk:
        raise InvalidState(
            _("Somebody else has to accept this picture: you asked for it yourself.")
        )
