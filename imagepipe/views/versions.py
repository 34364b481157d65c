"""The versions of a picture with their states, and the decisions about them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.admin import messages

from imagepipe.assets.models import Asset, AssetVersion, Lineage
from imagepipe.conf import get_settings
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.exceptions import ImagepipeError
from imagepipe.review.actions import ApproveVersion, RejectVersion
from imagepipe.views.access import open_asset, visible_assets
from imagepipe.views.review_forms import RejectForm, WithdrawForm, first_error
from imagepipe.workflow.styles import CLEARED

State = AssetVersion.State


@dataclass(frozen=True)
class VersionRow:
    """A version with what the person may do with it now."""

    version: AssetVersion
    parents: tuple[Lineage, ...]
    children: tuple[Lineage, ...]
    may_approve: bool
    may_be_style: bool
    may_reject: bool
    may_publish: bool


def version_rows(
    asset: Asset, user: AbstractBaseUser, verbs: Mapping[str, bool]
) -> list[VersionRow]:
    """All versions, the latest first, with made-from edges to what the person may see."""
    seen = visible_assets(user)
    parents = Lineage.objects.filter(parent__asset__in=seen)
    children = Lineage.objects.filter(child__asset__in=seen)
    versions = (
        asset.versions.select_related("created_by")
        .prefetch_related(
            Prefetch("parent_edges", parents.select_related("parent__asset")),
            Prefetch("child_edges", children.select_related("child__asset")),
        )
        .order_by("-number")
    )
    return [_row(version, verbs) for version in versions]


def _row(version: AssetVersion, verbs: Mapping[str, bool]) -> VersionRow:
    next_states = AssetVersion.TRANSITIONS[State(version.state)]
    publishable = State.PUBLISHED in next_states or (
        version.state == State.DRAFT and get_settings().APPROVAL == "off"
    )
    return VersionRow(
        version=version,
        parents=tuple(version.parent_edges.all()),
        children=tuple(version.child_edges.all()),
        may_approve=verbs["review"] and State.APPROVED in next_states,
        may_be_style=version.state in CLEARED,
        may_reject=verbs["review"] and State.REJECTED in next_states,
        may_publish=verbs["publish"] and publishable,
    )


@require_POST
def approve_version(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    version = _open(request, uid, number)
    try:
        ApproveVersion(version, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("Version %(number)d was approved.") % {"number": version.number}
        )
    return redirect("imagepipe_admin:asset", uid)


@require_POST
def reject_version(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    version = _open(request, uid, number)
    form = RejectForm(request.POST)
    try:
        if not form.is_valid():
            raise ImagepipeError(first_error(form))
        RejectVersion(version, request.user, **form.cleaned_data).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("Version %(number)d was rejected.") % {"number": version.number}
        )
    return redirect("imagepipe_admin:asset", uid)


@require_POST
def publish_version(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    version = _open(request, uid, number)
    try:
        PublishVersion(version, request.user).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("Version %(number)d was published.") % {"number": version.number}
        )
    return redirect("imagepipe_admin:asset", uid)


@require_POST
def withdraw_asset(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    asset = open_asset(request.user, uid)
    form = WithdrawForm(request.POST)
    try:
        if not form.is_valid():
            raise ImagepipeError(first_error(form))
        WithdrawAsset(asset, request.user, reason=form.cleaned_data["reason"]).execute()
    except ImagepipeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The picture was withdrawn from all pages."))
    return redirect("imagepipe_admin:asset", uid)


def _open(request: HttpRequest, uid: uuid.UUID, number: int) -> AssetVersion:
    asset = open_asset(request.user, uid)
    return get_object_or_404(asset.versions.select_related("asset"), number=number)
