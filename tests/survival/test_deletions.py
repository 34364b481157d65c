"""Deleting what Wagtail lets people delete, and giving up half-way, loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import TestCase
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.models import Collection

from imagepipe.assets import masters
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.audit.models import AuditEvent
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.exceptions import ImmutableRecord
from imagepipe.review.actions import ApproveVersion
from tests.delivery.library import Library, png
from tests.survival.ledger import Ledger


@pytest.fixture
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def editor(db: None) -> Any:
    return get_user_model().objects.create_superuser("ed", "ed@example.com", "x")


@pytest.fixture
def web(client: Any, editor: Any) -> Any:
    client.force_login(editor)
    return client


@pytest.fixture
def asset(library: Library, root: Collection, editor: Any) -> Asset:
    """Published by the editor, with a second version that waits for approval."""
    collection = root.add_child(name="Harbours")
    asset = library.asset(collection=collection, created_by=editor)
    version = library.version(asset, state="draft", created_by=editor)
    library.do(ApproveVersion(version, editor))
    library.do(PublishVersion(version, editor))
    reconcile_now()
    asset.refresh_from_db()
    library.version(asset, state="draft", created_by=editor)
    return asset


def committed(change: Callable[[], Any]) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return change()


def delete_image_in_admin(web: Any, asset: Asset) -> None:
    url = reverse("wagtailimages:delete", args=(asset.image_id,))
    assert committed(lambda: web.post(url)).status_code == 302


def delete_images_in_bulk(web: Any, asset: Asset) -> None:
    model = get_image_model()._meta
    url = reverse("wagtail_bulk_action", args=(model.app_label, model.model_name, "delete"))
    data = {"id": [str(asset.image_id)], "next": "/admin/"}
    response = committed(lambda: web.post(f"{url}?id={asset.image_id}", data))
    assert response.status_code == 302


def delete_image_by_query(web: Any, asset: Asset) -> None:
    committed(lambda: get_image_model().objects.all().delete())


def delete_collection(web: Any, asset: Asset) -> None:
    committed(lambda: Collection.objects.get(name="Harbours").delete())


def delete_user(web: Any, asset: Asset) -> None:
    committed(lambda: get_user_model().objects.get(username="ed").delete())


def delete_everything(web: Any, asset: Asset) -> None:
    delete_image_in_admin(web, asset)
    delete_collection(web, asset)
    delete_user(web, asset)


DELETIONS = (
    delete_image_in_admin,
    delete_images_in_bulk,
    delete_image_by_query,
    delete_collection,
    delete_user,
    delete_everything,
)


@pytest.mark.parametrize("delete", DELETIONS, ids=lambda delete: delete.__name__)
def test_nothing_is_lost(
    library: Library, web: Any, asset: Asset, root: Collection, delete: Callable[..., None]
) -> None:
    ledger = Ledger(library).write_down()
    assert len(ledger.versions) == 2 and len(ledger.events) >= 2
    delete(web, asset)
    while reconcile_now():
        pass
    ledger.check()
    asset.refresh_from_db()
    gone = delete is not delete_user  # a collection takes its images with it
    assert (asset.image_id is None) == gone
    assert (asset.published_version_id is None) == gone
    if delete in (delete_collection, delete_everything):
        assert asset.collection == root
    if delete in (delete_user, delete_everything):
        assert asset.created_by is None
        event = AuditEvent.objects.get(action="imagepipe.approve")
        assert (event.actor_name, event.actor) == ("ed", None)


def test_a_deleted_image_comes_back_with_its_publication(
    library: Library, web: Any, asset: Asset
) -> None:
    version = asset.published_version
    delete_image_in_admin(web, asset)
    version.refresh_from_db()
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    assert asset.image is not None
    assert library.media_hashes() == {version.sha256}


@pytest.mark.parametrize(
    "place",
    [
        "imagepipe.assets.actions.AssetVersion.objects.create",
        "imagepipe.assets.actions.Lineage.objects.create",
        "imagepipe.audit.trail.record",
        "imagepipe.workflow.uploads.follow_words",
        "wagtail.images.models.AbstractImage.save",
        "wagtail.actions.edit.log",
    ],
)
def test_a_replacement_that_fails_half_way_changes_nothing(
    library: Library,
    web: Any,
    asset: Asset,
    root: Collection,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    ledger, media = Ledger(library).write_down(), library.media_hashes()
    row = get_image_model().objects.values().get(pk=asset.image_id)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("half-way")

    content = png()
    data = {"title": "New", "collection": root.pk}
    url = reverse("wagtailimages:edit", args=(asset.image_id,))
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="half-way"):
        patch.setattr(place, fail)
        file = SimpleUploadedFile("new.png", content, "image/png")
        committed(lambda: web.post(url, {**data, "file": file}))
    ledger.check()
    assert AssetVersion.objects.count() == len(ledger.versions)
    assert AuditEvent.objects.count() == len(ledger.events)
    assert get_image_model().objects.values().get(pk=asset.image_id) == row
    assert library.media_hashes() == media
    file = SimpleUploadedFile("new.png", content, "image/png")
    assert committed(lambda: web.post(url, {**data, "file": file})).status_code == 302
    assert asset.versions.latest("number").sha256 == masters.store(content)


def test_publishing_that_is_rolled_back_shows_nothing(library: Library, asset: Asset) -> None:
    draft = asset.versions.get(state="draft")
    library.do(ApproveVersion(draft, None))
    media, ledger = library.media_hashes(), Ledger(library).write_down()
    with (
        pytest.raises(ZeroDivisionError),
        TestCase.captureOnCommitCallbacks(execute=True),
        transaction.atomic(),
    ):
        PublishVersion(draft, None).execute()
        raise ZeroDivisionError
    ledger.check()
    assert library.media_hashes() == media
    asset.refresh_from_db()
    assert asset.published_version.number == 1


@pytest.mark.parametrize("model", [Asset, AssetVersion, AuditEvent])
def test_records_cannot_be_deleted_or_rewritten(
    library: Library, asset: Asset, model: Any
) -> None:
    record = model.objects.first()
    with pytest.raises(ImmutableRecord):
        record.delete()
    with pytest.raises(ImmutableRecord):
        model.objects.all().delete()
    if model is not Asset:
        with pytest.raises(ImmutableRecord):
            record.save()
