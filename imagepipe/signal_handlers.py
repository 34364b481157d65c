"""The few signals where Wagtail offers no other door."""

from __future__ import annotations

import os.path
import secrets
from typing import Any

from django.db.models.signals import post_save, pre_delete, pre_save


def register_signal_handlers() -> None:
    """Connect the handlers; called once from ``AppConfig.ready``."""
    from wagtail.images import get_image_model
    from wagtail.models import UploadedFile

    model = get_image_model()
    pre_save.connect(upload_parked, sender=UploadedFile, dispatch_uid="imagepipe.upload_parked")
    post_save.connect(image_saved, sender=model, dispatch_uid="imagepipe.image_saved")
    pre_delete.connect(image_deleted, sender=model, dispatch_uid="imagepipe.image_deleted")


def image_saved(
    instance: Any,
    created: bool = False,
    raw: bool = False,
    update_fields: Any = None,
    **kwargs: Any,
) -> None:
    """Link a new image with its asset; version what other code has created or changed."""
    from imagepipe.delivery.images import is_projecting
    from imagepipe.workflow import uploads

    if raw or is_projecting():
        return
    asset = instance.__dict__.pop("_imagepipe_asset", None)
    if asset is not None:
        asset.image = instance
        asset.save(update_fields=["image"])
        uploads.follow_words(asset, instance, None)
    elif created:
        uploads.take_over(instance)
    else:
        if update_fields is None or "file" in update_fields:
            uploads.notice(instance)
        uploads.follow_focal_point(instance)


def image_deleted(instance: Any, **kwargs: Any) -> None:
    """Stop delivery; asset, versions and masters stay."""
    from imagepipe.delivery.actions import WithdrawAsset
    from imagepipe.workflow.uploads import asset_of

    asset = asset_of(instance)
    if asset is not None and asset.published_version_id is not None:
        WithdrawAsset(asset, None, reason="image deleted").execute()


def upload_parked(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Give a file a name that nobody can guess.

    The multiple uploader parks pictures in public media while it asks for required fields.
    """
    from wagtail.images import get_image_model

    from imagepipe.workflow import uploads

    file, kind = instance.file, instance.for_content_type
    if raw or not file or file._committed or not uploads.approval_required():
        return
    if kind is not None and kind.model_class() is get_image_model():
        file.name = secrets.token_hex(16) + os.path.splitext(file.name)[1].lower()
