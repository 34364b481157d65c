"""Which version's pixels may lie in public media now."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.conf import get_settings
from imagepipe.delivery.documents import is_current, rights_of, runtime_of

State = AssetVersion.State


def visible_version(asset: Asset) -> AssetVersion | None:
    """The published version, or the standing one, if its rights allow it now.

    Media are served to everybody, so a picture that is limited to markets is not put there.
    """
    version = asset.published_version or standing_version(asset)
    rights = rights_of(asset)
    if version is None or (rights is not None and rights.markets):
        return None
    document = {"published": True, **runtime_of(rights)}
    return version if is_current(document, timezone.now().timestamp()) else None


def standing_version(asset: Asset) -> AssetVersion | None:
    """What the public sees of a picture that was never published nor withdrawn here.

    A picture from an adopted library stays as it was; without approval the newest is shown.
    """
    if asset.published_version_id is not None or asset.withdrawn_at is not None:
        return None
    return asset.versions.filter(_may_stand()).order_by("-number").first()


def standing() -> Q:
    """Condition on assets: there is a standing version."""
    versions = AssetVersion.objects.filter(_may_stand(), asset=OuterRef("pk"))
    return Q(published_version=None, withdrawn_at=None) & Exists(versions)


def _may_stand() -> Q:
    if get_settings().APPROVAL == "off":
        return ~Q(state=State.REJECTED)
    return Q(origin=AssetVersion.Origin.ADOPTED, state=State.APPROVED)
