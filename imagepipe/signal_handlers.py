"""The few signals where Wagtail offers no other door."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save, pre_delete


def register_signal_handlers() -> None:
    """Connect the handlers; called once from ``AppConfig.ready``."""
    from wagtail.images import get_image_model

    model = get_image_model()
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
