"""Raising the desired generation, in the transaction of whatever changed."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from imagepipe.assets.models import Asset
from imagepipe.delivery.documents import build_document
from imagepipe.delivery.images import project_quietly
from imagepipe.delivery.models import Publication
from imagepipe.events import bus


def request_publication(asset: Asset) -> Publication:
    """Ask the reconciler to say to the edges what the database says now.

    Call it inside the transaction of the change.
    """
    Publication.objects.get_or_create(asset=asset)
    publication = Publication.objects.select_for_update().get(asset=asset)
    publication.desired += 1
    publication.document = _dated(build_document(asset), publication.document)
    publication.attempts = 0
    publication.retry_at = None
    publication.save()
    bus.emit(bus.PublicationRequested(asset.uid.hex))
    return publication


def _dated(document: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Say when what is shown was changed last: now, unless it is what it was.

    What stands in the picture's place while it loads is a fact of the version, and is kept.
    """
    if "placeholder" in before and before.get("version") == document.get("version"):
        document = {**document, "placeholder": before["placeholder"]}
    if document == {name: fact for name, fact in before.items() if name != "changed"}:
        return before
    return {**document, "changed": int(timezone.now().timestamp())}


def on_asset_changed(event: bus.AssetChanged) -> None:
    """Rights, alternative text or title changed: tell the edges, if they know the asset.

    Of what they do not know, only public media have to follow.
    """
    with transaction.atomic():
        asset = (
            Asset.objects.select_for_update(of=("self",))
            .select_related("published_version")
            .filter(uid=event.asset_uid, publication__desired__gt=0)
            .first()
        )
        if asset is not None:
            request_publication(asset)
    if asset is None:
        project_quietly(uuid.UUID(event.asset_uid))


def request_overdue() -> int:
    """Repair what a crash between a change and its event has left: newer facts than told."""
    told = F("publication__changed_at")
    changed = Q(rights__updated_at__gt=told) | Q(alttext__updated_at__gt=told)
    changed |= Q(versions__crops__created_at__gt=told)
    changed |= Q(versions__crops__replaced_at__gt=told)
    assets = list(
        Asset.objects.filter(changed, publication__desired__gt=0)
        .select_related("published_version")
        .order_by("pk")
        .distinct()
    )
    for asset in assets:
        with transaction.atomic():
            request_publication(asset)
    return len(assets)


def request_all() -> int:
    """Have every publication written again, as it is; return how many.

    For a delivery storage that was lost, or for grants that another key shall sign.
    """
    return Publication.objects.filter(desired__gt=0).update(
        observed=F("desired") - 1, attempts=0, retry_at=None
    )
