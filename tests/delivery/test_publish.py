from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from imagepipe.audit.models import AuditEvent
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.models import FeedEntry
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.exceptions import InvalidState, MissingRequirement
from imagepipe.grants import decide, parent_path
from imagepipe.rights.models import RightsRecord
from tests.delivery.library import GENERATED, Library, png


def test_publishing_writes_master_parent_grant_feed_and_image(library: Library) -> None:
    asset = library.asset()
    content = png(200, 100)
    version = library.version(asset, content, source_type=GENERATED, focal_x=0.5, focal_y=0.25)
    publication = library.do(PublishVersion(version, None))
    assert (publication.desired, publication.observed) == (1, 0)

    result = reconcile_now()

    assert (result.written, result.failed) == ([asset.uid.hex], [])
    publication = library.publication(asset)
    assert (publication.observed, publication.last_error) == (1, "")
    grant = library.grant(asset)
    assert grant.sequence == 1
    assert grant.disclosure is True
    granted = grant.versions[0]
    assert (granted.sha256, granted.state, granted.focal) == (
        version.sha256,
        "published",
        (0.5, 0.25),
    )
    assert granted.credit["rights"] == "CC BY 4.0"
    assert granted.credit["credit"] == "Photo: Ada"
    assert "prompt" not in granted.credit
    assert library.delivered_masters() == {version.sha256}
    assert (library.delivery / parent_path(version.sha256)).exists()
    assert [entry.asset for entry in library.feed(asset).entries] == [asset.uid.hex]
    asset.refresh_from_db()
    assert asset.published_version == version
    image = asset.image
    assert (image.title, image.description) == ("Harbour", "Boats in the harbour")
    assert (image.width, image.height, image.file_size) == (200, 100, len(content))
    assert (image.focal_point_x, image.focal_point_y) == (100, 25)
    assert image.file.read() == content
    assert AuditEvent.objects.filter(chain=asset.uid.hex).latest("pk").action == (
        "imagepipe.publish"
    )


def test_a_second_round_has_nothing_to_do(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    assert reconcile_now()
    assert not reconcile_now()
    assert FeedEntry.objects.count() == 1


def test_everything_that_is_missing_is_named(library: Library) -> None:
    version = library.version(library.asset(rights=False, alt=False))
    with pytest.raises(MissingRequirement) as error:
        library.do(PublishVersion(version, None))
    assert error.value.missing == ("rights", "alt")
    version.refresh_from_db()
    assert version.state == "approved"


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"persons": RightsRecord.Persons.MISSING}, ("consent",)),
        ({"licence": ""}, ("rights",)),
        ({"valid_until": timezone.now() - dt.timedelta(days=1)}, ("runtime",)),
    ],
)
def test_rights_that_do_not_allow_it(
    library: Library, fields: dict[str, Any], missing: tuple[str, ...]
) -> None:
    asset = library.asset()
    RightsRecord.objects.filter(asset=asset).update(**fields)
    with pytest.raises(MissingRequirement) as error:
        library.do(PublishVersion(library.version(asset), None))
    assert error.value.missing == missing


def test_a_decorative_picture_needs_no_alternative_text(library: Library) -> None:
    asset = library.asset(alt=False)
    publication = library.do(PublishVersion(library.version(asset), None, decorative=True))
    assert publication.document["decorative"] is True


@pytest.mark.parametrize("state", ["draft", "rejected", "published"])
def test_only_approved_versions_are_published(library: Library, state: str) -> None:
    version = library.version(library.asset(), state=state)
    with pytest.raises(InvalidState):
        library.do(PublishVersion(version, None))


def test_drafts_may_be_published_where_approval_is_switched_off(
    library: Library, settings: Any
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "APPROVAL": "off"}
    version = library.version(library.asset(), state="draft")
    assert library.do(PublishVersion(version, None)).desired == 1


def test_replacing_supersedes_and_changes_the_media_file(library: Library) -> None:
    asset = library.asset()
    first, second = library.version(asset), library.version(asset)
    library.do(PublishVersion(first, None))
    reconcile_now()
    asset.refresh_from_db()
    image, old = asset.image, asset.image.file.name
    rendition = image.get_rendition("width-10")
    rendition_file = library.media / rendition.file.name
    assert rendition_file.exists()

    library.do(PublishVersion(second, None))
    reconcile_now()

    image.refresh_from_db()
    assert image.file.name != old
    assert library.media_hashes() == {second.sha256}
    assert not rendition_file.exists()
    assert image.renditions.count() == 0
    first.refresh_from_db()
    assert first.state == "superseded"
    decision = decide(library.grant(asset), first.sha256[:16], int(timezone.now().timestamp()))
    assert (decision.reason, decision.version.sha256) == ("superseded", second.sha256)


def test_withdrawing_takes_pixels_from_every_door(library: Library) -> None:
    asset = library.asset()
    version = library.version(asset, png(300, 200))
    library.do(PublishVersion(version, None))
    reconcile_now()
    asset.refresh_from_db()
    asset.image.get_rendition("width-10")

    library.do(WithdrawAsset(asset, None, reason="wrong person"))
    asset.refresh_from_db()
    assert asset.published_version is None
    assert asset.withdrawn_reason == "wrong person"
    assert version.sha256 not in library.media_hashes()
    assert asset.image.renditions.count() == 0
    assert (asset.image.width, asset.image.height) == (300, 200)
    reconcile_now()
    assert library.delivered_masters() == set()
    assert not (library.delivery / parent_path(version.sha256)).exists()
    grant = library.grant(asset)
    decision = decide(grant, version.sha256[:16], int(timezone.now().timestamp()))
    assert (grant.sequence, decision.reason) == (2, "withdrawn")
    assert (library.private / version.master_name).exists()

    version.refresh_from_db()
    library.do(PublishVersion(version, None))
    reconcile_now()
    asset.refresh_from_db()
    assert asset.withdrawn_at is None
    assert asset.image.file.read() == (library.private / version.master_name).read_bytes()
    assert library.delivered_masters() == {version.sha256}
    assert library.grant(asset).sequence == 3


def test_withdrawing_what_is_not_published_is_refused(library: Library) -> None:
    with pytest.raises(InvalidState):
        library.do(WithdrawAsset(library.asset(), None, reason=""))


def test_bytes_shared_with_a_published_asset_stay(library: Library) -> None:
    content = png()
    one, two = library.asset(), library.asset()
    for asset in (one, two):
        library.do(PublishVersion(library.version(asset, content), None))
    reconcile_now()
    library.do(WithdrawAsset(one, None, reason=""))
    reconcile_now()
    assert len(library.delivered_masters()) == 1


def test_unversioned_bytes_are_kept_before_their_file_is_deleted(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    asset.refresh_from_db()
    unknown = png(64, 48)
    path = Path(asset.image.file.path)
    path.write_bytes(unknown)
    library.do(WithdrawAsset(asset, None, reason=""))
    assert not path.exists()
    kept = {file.read_bytes() for file in library.private.rglob("*") if file.is_file()}
    assert unknown in kept
