"""A focal point that editors set on the Wagtail image reaches the edge and the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.models import Collection

from imagepipe.assets.models import Asset
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.review.actions import ApproveVersion
from imagepipe.rights.actions import SetRights
from tests.delivery.library import Library, png

POINT = {
    "focal_point_x": 50,
    "focal_point_y": 15,
    "focal_point_width": 10,
    "focal_point_height": 10,
}


@pytest.fixture
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def web(client: Any, root: Collection) -> Any:
    client.force_login(get_user_model().objects.create_superuser("ed", "e@example.com", "x"))
    return client


def edit(web: Any, asset: Asset, root: Collection, **data: Any) -> None:
    url = reverse("wagtailimages:edit", args=(asset.image_id,))
    fields = {"title": "Boat", "collection": root.pk, "description": "A boat", **data}
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert web.post(url, fields).status_code == 302
    while reconcile_now():
        pass


def told(library: Library, asset: Asset) -> tuple[Any, Any]:
    """What pages and edges know."""
    granted = next(v for v in library.grant(asset).versions if v.state == "published")
    return library.publication(asset).document["focal"], granted.focal


def published(library: Library, **fields: Any) -> Asset:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset, png(100, 60), **fields), None))
    reconcile_now()
    asset.refresh_from_db()
    return asset


def test_it_is_followed(library: Library, web: Any, root: Collection) -> None:
    asset = published(library)
    assert told(library, asset) == (None, None)
    edit(web, asset, root, **POINT)
    assert told(library, asset) == ([0.5, 0.25], (0.5, 0.25))
    edit(web, asset, root)
    assert told(library, asset) == (None, None)


def test_it_goes_before_the_version_s_own(library: Library, web: Any, root: Collection) -> None:
    asset = published(library, focal_x=0.1, focal_y=0.9)
    assert told(library, asset)[0] == pytest.approx([0.1, 0.9])
    assert (asset.image.focal_point_x, asset.image.focal_point_y) == (10, 54)
    edit(web, asset, root, **POINT)
    assert told(library, asset) == ([0.5, 0.25], (0.5, 0.25))


def test_one_set_on_the_placeholder_counts_once_published(
    library: Library, web: Any, root: Collection
) -> None:
    file = SimpleUploadedFile("boat.png", png(100, 60), "image/png")
    data = {"title": "Boat", "description": "A boat", "collection": root.pk, "file": file}
    with TestCase.captureOnCommitCallbacks(execute=True):
        web.post(reverse("wagtailimages:add"), data)
    asset = Asset.objects.get()
    edit(web, asset, root, **POINT)
    version = asset.versions.get()
    library.do(ApproveVersion(version, None))
    library.do(SetRights(asset, None, values={"licence": "MIT", "rights_holder": "Ada"}))
    version.refresh_from_db()
    library.do(PublishVersion(version, None))
    reconcile_now()
    assert told(library, asset) == ([0.5, 0.25], (0.5, 0.25))
    assert get_image_model().objects.get().focal_point_x == 50


def test_it_stays_through_a_withdrawal_and_goes_with_a_replacement(
    library: Library, web: Any, root: Collection
) -> None:
    asset = published(library)
    edit(web, asset, root, **POINT)
    first = asset.versions.get()
    library.do(WithdrawAsset(asset, None, reason="x"))
    first.refresh_from_db()
    library.do(PublishVersion(first, None))
    reconcile_now()
    assert told(library, asset)[0] == [0.5, 0.25]
    library.do(PublishVersion(library.version(asset, png(100, 60)), None))
    reconcile_now()
    assert told(library, asset) == (None, None)
    assert get_image_model().objects.get().focal_point_x is None
