"""Images that other code writes without a form, and pictures of adopted libraries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import TestCase
from django.utils import timezone
from wagtail.images import get_image_model
from wagtail.models import Collection

from imagepipe.assets import masters
from imagepipe.assets.models import Asset
from imagepipe.delivery import images
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.expiry import apply_windows
from imagepipe.delivery.images import project_image
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.review.actions import RejectVersion
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.uploads import adopt
from tests.delivery.library import Library, loose_image, png
from tests.writing.test_write_paths import published, sha


@pytest.fixture(autouse=True)
def root(db: None) -> Collection:
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


def create(content: bytes, name: str = "boat.png", title: str = "Boat") -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        file = ContentFile(content, name=name)
        return get_image_model().objects.create(title=title, description="Sea", file=file)


def save(image: Any) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        image.save()


def test_an_image_created_by_other_code_is_a_draft(library: Library) -> None:
    content = png(90, 60)
    image = create(content)
    asset = Asset.objects.get()
    version = asset.versions.get()
    assert (asset.image, asset.title, asset.alt_texts()) == (image, "Boat", {"en": "Sea"})
    assert (version.state, version.origin) == ("draft", "uploaded")
    assert masters.read(version.sha256) == content
    assert sha(content) not in library.media_hashes()
    assert images.shows_placeholder(asset, image)
    assert (image.width, image.height) == (90, 60)
    assert image.get_rendition("width-30").width == 30


def test_saving_the_same_object_again_changes_nothing(library: Library) -> None:
    content = png()
    image = create(content)
    image.title = "Ship"
    save(image)
    assert sha(content) not in library.media_hashes()
    assert Asset.objects.get().versions.count() == 1


def test_without_approval_it_is_versioned_and_shown(library: Library, settings: Any) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "APPROVAL": "off"}
    content = png()
    image = create(content)
    assert library.media_hashes() == {sha(content)}
    asset = Asset.objects.get()
    assert asset.versions.get().sha256 == sha(content)
    name = image.file.name
    project_image(asset.uid)
    image.refresh_from_db()
    assert image.file.name == name


def test_a_rollback_leaves_neither_row_nor_picture_in_use(library: Library) -> None:
    content = png()
    with (
        pytest.raises(ZeroDivisionError),
        TestCase.captureOnCommitCallbacks(execute=True),
        transaction.atomic(),
    ):
        get_image_model().objects.create(title="x", file=ContentFile(content, name="x.png"))
        raise ZeroDivisionError
    assert not Asset.objects.exists()
    assert masters.read(sha(content)) == content


def test_files_that_a_crash_left_behind_are_deleted_later(library: Library) -> None:
    content = png()
    get_image_model().objects.create(title="x", file=ContentFile(content, name="x.png"))
    assert sha(content) in library.media_hashes(), "the process died before its commit hooks"
    reconcile_now()
    assert sha(content) not in library.media_hashes()
    assert not list(library.delivery.glob("grants/*")), "no edge knows a draft"
    assert not reconcile_now()


def test_what_is_no_photograph_is_left_alone(library: Library) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    create(drawing, "wheel.svg")
    assert not Asset.objects.exists()
    assert library.media_hashes() == {sha(drawing)}


def test_putting_back_a_rejected_picture_does_not_show_it(library: Library) -> None:
    asset, version = published(library)
    rejected = png()
    asset.image.file = ContentFile(rejected, name="other.png")
    save(asset.image)
    library.do(RejectVersion(asset.versions.get(number=2), None, reason="legal"))
    asset.refresh_from_db()
    asset.image.file = ContentFile(rejected, name="other.png")
    save(asset.image)
    assert library.media_hashes() == {version.sha256}
    assert asset.versions.count() == 2


def test_an_object_from_before_the_withdrawal_brings_nothing_back(library: Library) -> None:
    asset, version = published(library)
    old = get_image_model().objects.get(pk=asset.image_id)
    library.do(WithdrawAsset(asset, None, reason="legal"))
    old.title = "Other"
    save(old)
    current = get_image_model().objects.get(pk=old.pk)
    assert images.shows_placeholder(asset, current)
    assert current.file.storage.exists(current.file.name)
    assert version.sha256 not in library.media_hashes()


@pytest.fixture
def adopted(library: Library) -> Asset:
    image = loose_image(png(80, 60))
    asset = adopt(image)
    asset.refresh_from_db()
    return asset


def test_projection_leaves_an_adopted_picture_as_it_is(
    library: Library, adopted: Asset
) -> None:
    name, hashes = adopted.image.file.name, library.media_hashes()
    project_image(adopted.uid)
    adopted.image.refresh_from_db()
    assert (adopted.image.file.name, library.media_hashes()) == (name, hashes)


def test_a_change_of_an_adopted_picture_is_a_draft(library: Library, adopted: Asset) -> None:
    standing = adopted.versions.get()
    content = png()
    adopted.image.file = ContentFile(content, name="new.png")
    save(adopted.image)
    assert adopted.versions.get(number=2).state == "draft"
    assert library.media_hashes() == {standing.sha256}
    image = get_image_model().objects.get(pk=adopted.image_id)
    with image.file.open() as file:
        assert sha(file.read()) == standing.sha256


def test_a_picture_that_lies_in_media_without_any_right_is_hidden(library: Library) -> None:
    image = create(png())
    content = png()
    storage = image.file.storage
    name = storage.save("original_images/bypass.png", ContentFile(content))
    get_image_model().objects.filter(pk=image.pk).update(file=name)
    assert apply_windows() == [Asset.objects.get().uid.hex]
    assert sha(content) not in library.media_hashes()
    assert masters.read(sha(content)) == content


def test_rights_close_and_open_an_adopted_picture(library: Library, adopted: Asset) -> None:
    sha256, now = adopted.versions.get().sha256, timezone.now()
    past, future = now - dt.timedelta(days=1), now + dt.timedelta(days=1)
    library.do(SetRights(adopted, None, values={"markets": ["DE"]}))
    assert sha256 not in library.media_hashes()
    library.do(SetRights(adopted, None, values={"markets": [], "valid_from": past}))
    assert library.media_hashes() == {sha256}
    library.do(SetRights(adopted, None, values={"valid_until": future}))
    assert apply_windows() == []
    assert apply_windows(future + dt.timedelta(seconds=1)) == [adopted.uid.hex]


def test_a_rejected_adopted_picture_goes(library: Library, adopted: Asset) -> None:
    library.do(RejectVersion(adopted.versions.get(), None, reason="legal"))
    assert adopted.versions.get().sha256 not in library.media_hashes()


@pytest.mark.parametrize("name", ["tickets-not-available", "0_not-available"])
def test_a_picture_called_like_the_placeholder_expires_too(library: Library, name: str) -> None:
    asset = library.asset()
    Asset.objects.filter(pk=asset.pk).update(slug=name)
    version = library.version(asset)
    library.do(PublishVersion(version, None))
    assert library.media_hashes() == {version.sha256}
    past = timezone.now() - dt.timedelta(seconds=1)
    asset.rights.valid_until = past
    asset.rights.save()
    assert apply_windows() == [asset.uid.hex]
    assert version.sha256 not in library.media_hashes()
