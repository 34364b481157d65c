"""Giving a picture crops by name, and taking them back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.models import AssetVersion
from imagepipe.delivery.crop_geometry import snapped
from imagepipe.delivery.crop_models import NamedCrop
from imagepipe.delivery.crop_shapes import CropShape, crop_shapes
from imagepipe.events.bus import AssetChanged, emit
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.urlspec.transform import MIN_REGION, REGION_SCALE, Region


class SetCrop(Action[AssetVersion, NamedCrop]):
    """Give a version the crop ``name``; the one before is kept and can be restored.

    ``region`` (x, y, width and height in 1/10000) is brought to the ratio of the settings,
    inside what was chosen. Raises ImagepipeError for a name that the settings do not have and
    for what is no part of the picture.
    """

    action_name = "imagepipe.set_crop"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: AssetVersion,
        user: AbstractBaseUser | None,
        *,
        name: str,
        region: Region,
    ) -> None:
        super().__init__(instance, user)
        self.name, self.region = name, region

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> NamedCrop:
        shape = shape_of(self.name)
        _require_inside(self.region)
        version = self.instance
        region = snapped(self.region, shape.ratio, (version.width, version.height))
        self.audit_data = _facts(version, self.name, region, _put_aside(version, self.name))
        return _put(version, self.name, region, self.user)


class RemoveCrop(Action[AssetVersion, AssetVersion]):
    """Leave the cut to what is known of the picture again; the crop can be restored."""

    action_name = "imagepipe.remove_crop"
    permission_policy_action = "change"

    def __init__(
        self, instance: AssetVersion, user: AbstractBaseUser | None, *, name: str
    ) -> None:
        super().__init__(instance, user)
        self.name = name

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> AssetVersion:
        before = _put_aside(self.instance, self.name)
        if before is None:
            raise InvalidState(_("The picture has no crop of this name."))
        self.audit_data = _facts(self.instance, self.name, None, before)
        emit(AssetChanged(self.instance.asset.uid.hex))
        return self.instance


class RestoreCrop(Action[NamedCrop, NamedCrop]):
    """Use an earlier crop of the version again."""

    action_name = "imagepipe.restore_crop"
    permission_policy_action = "change"

    def permission_subject(self) -> models.Model:
        return self.instance.version.asset

    def audit_chain(self) -> str:
        return self.instance.version.asset.uid.hex

    def perform(self) -> NamedCrop:
        crop = self.instance
        before = _put_aside(crop.version, crop.name)
        if before is not None and before.pk == crop.pk:
            raise InvalidState(_("This crop is in use already."))
        self.audit_data = _facts(crop.version, crop.name, crop.region, before)
        return _put(crop.version, crop.name, crop.region, self.user)


def shape_of(name: str) -> CropShape:
    """Raises ImagepipeError where the settings know no crop of this name."""
    shapes = crop_shapes()
    if name not in shapes:
        raise ImagepipeError(
            _("There is no crop “%(name)s”; known are %(known)s.")
            % {"name": name[:40], "known": ", ".join(shapes)}
        )
    return shapes[name]


def _require_inside(region: Region) -> None:
    left, top, width, height = region
    is_inside = left >= 0 and top >= 0 and min(width, height) >= MIN_REGION
    if not is_inside or left + width > REGION_SCALE or top + height > REGION_SCALE:
        raise ImagepipeError(
            _(
                "This is no part of the picture: it stays inside and is at least 1 per cent "
                "wide and high."
            )
        )


def _put_aside(version: AssetVersion, name: str) -> NamedCrop | None:
    """Replace the crop in use, if there is one. One change at a time for each version."""
    AssetVersion.objects.select_for_update().get(pk=version.pk)
    before = version.crops.filter(name=name, replaced_at__isnull=True).first()
    if before is not None:
        before.replaced_at = timezone.now()
        before.save(update_fields=["replaced_at"])
    return before


def _put(
    version: AssetVersion, name: str, region: Region, user: AbstractBaseUser | None
) -> NamedCrop:
    left, top, width, height = region
    crop = NamedCrop.objects.create(
        version=version,
        name=name,
        left=left,
        top=top,
        width=width,
        height=height,
        created_by=user,
    )
    emit(AssetChanged(version.asset.uid.hex))
    return crop


def _facts(
    version: AssetVersion, name: str, region: Region | None, before: NamedCrop | None
) -> dict[str, Any]:
    return {
        "version": version.number,
        "crop": name,
        "region": None if region is None else list(region),
        "before": None if before is None else list(before.region),
    }
