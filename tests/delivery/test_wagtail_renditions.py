from __future__ import annotations

from django.core.files.base import ContentFile
from wagtail.images import get_image_model

from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.reconcile import reconcile_now
from tests.delivery.library import Library, png


def test_a_preview_made_before_the_reconciler_came_stays(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    asset.refresh_from_db()
    preview = asset.image.get_rendition("max-32x32")
    stale = preview.__class__.objects.create(
        image=asset.image,
        filter_spec="width-16",
        focal_point_key="",
        file=ContentFile(png(16, 12), name="other.width-16.png"),
        width=16,
        height=12,
    )
    reconcile_now()
    kept = asset.image.renditions.get()
    assert kept.file.name == preview.file.name
    assert kept.file.storage.exists(kept.file.name)
    assert not stale.file.storage.exists(stale.file.name)


def test_no_preview_outlives_a_withdrawal(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    asset.refresh_from_db()
    preview = asset.image.get_rendition("max-32x32")
    library.do(WithdrawAsset(asset, None, reason="test"))
    reconcile_now()
    image = get_image_model().objects.get(pk=asset.image_id)
    assert not image.renditions.exists()
    assert not preview.file.storage.exists(preview.file.name)
