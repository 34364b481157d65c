from __future__ import annotations

import datetime as dt
import io
import time

import pytest
from django.utils import timezone
from PIL import Image

from imagepipe.delivery import images
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.expiry import apply_windows
from imagepipe.delivery.images import project_image
from imagepipe.delivery.placeholder import placeholder
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.grants import decide
from imagepipe.rights.actions import SetRights
from imagepipe.rights.models import RightsRecord
from tests.delivery.library import Library, loose_image, png


def test_rights_that_end_close_wagtails_doors_too(library: Library) -> None:
    asset = library.asset()
    version = library.version(asset, png(120, 80))
    library.do(PublishVersion(version, None))
    reconcile_now()
    now = timezone.now()
    RightsRecord.objects.filter(asset=asset).update(valid_until=now + dt.timedelta(hours=1))
    reconcile_now(asset=asset)
    assert apply_windows(now) == []
    assert version.sha256 in library.media_hashes()

    RightsRecord.objects.filter(asset=asset).update(valid_until=now - dt.timedelta(seconds=1))
    asset.refresh_from_db()
    asset.image.get_rendition("width-10")
    assert apply_windows() == [asset.uid.hex]
    assert apply_windows() == []

    asset.refresh_from_db()
    assert version.sha256 not in library.media_hashes()
    assert len(library.media_hashes()) == 1
    assert (asset.image.width, asset.image.height) == (120, 80)
    assert asset.image.file.read() == placeholder(120, 80)
    reconcile_now(asset=asset)
    granted = library.grant(asset)
    assert decide(granted, version.sha256[:16], int(now.timestamp())).reason == "expired"

    RightsRecord.objects.filter(asset=asset).update(valid_until=None, valid_from=now)
    assert apply_windows() == [asset.uid.hex]
    assert library.media_hashes() == {version.sha256}


def test_a_consent_that_is_missing_closes_every_door(library: Library) -> None:
    asset = library.asset()
    version = library.version(asset, png(120, 80))
    library.do(PublishVersion(version, None))
    reconcile_now()
    asset.refresh_from_db()
    assert version.sha256 in library.media_hashes()
    for persons, is_shown in (("missing", False), ("consent", True)):
        library.do(SetRights(asset, None, values={"persons": persons}))
        reconcile_now(asset=asset)
        assert (version.sha256 in library.media_hashes()) is is_shown
        answer = decide(library.grant(asset), version.sha256[:16], int(time.time()))
        assert (answer.reason == "expired") is not is_shown
        assert apply_windows() == []


def test_rights_that_have_not_begun(library: Library) -> None:
    asset = library.asset()
    start = timezone.now() + dt.timedelta(days=1)
    RightsRecord.objects.filter(asset=asset).update(valid_from=start)
    version = library.version(asset)
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    assert asset.image is not None, "editors can place it already"
    assert version.sha256 not in library.media_hashes()


@pytest.mark.parametrize("limits", [{"markets": ["DE"]}, {"channels": ["print"]}])
def test_limited_pictures_never_lie_in_public_media(
    library: Library, limits: dict[str, list[str]]
) -> None:
    asset = library.asset()
    RightsRecord.objects.filter(asset=asset).update(**limits)
    version = library.version(asset)
    library.do(PublishVersion(version, None))
    reconcile_now()
    assert version.sha256 not in library.media_hashes()
    assert library.delivered_masters() == {version.sha256}


def test_an_upload_awaiting_approval_shows_the_placeholder(library: Library) -> None:
    content = png(90, 60)
    image = loose_image(content)
    asset = library.asset(image=image)
    version = library.version(asset, content, state="draft")
    project_image(asset.uid)
    assert version.sha256 not in library.media_hashes()
    image.refresh_from_db()
    assert images.shows_placeholder(asset, image)
    assert (image.width, image.height) == (90, 60)


def test_projection_is_repeatable_after_a_crash_between_row_and_files(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = library.asset()
    first, second = library.version(asset), library.version(asset)
    library.do(PublishVersion(first, None))
    reconcile_now()

    def crash(*args: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("imagepipe.delivery.media.purge_renditions", crash)
        library.do(PublishVersion(second, None))
    assert library.publication(asset).stale_media != []
    assert library.media_hashes() == {first.sha256, second.sha256}
    reconcile_now()
    assert library.publication(asset).stale_media == []
    assert library.media_hashes() == {second.sha256}


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (3000, 2000), (40, 4000)])
def test_placeholders_are_small_and_of_the_right_size(size: tuple[int, int]) -> None:
    content = placeholder(*size)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == size
        assert len(picture.convert("RGB").getcolors(5)) <= 2
    assert len(content) < 8000
