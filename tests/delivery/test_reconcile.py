from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from wagtail.models import Collection

from imagepipe.assets import masters
from imagepipe.delivery import feeds, images, reconcile, storage
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.delivery.lease import Lease
from imagepipe.delivery.models import DeliveryLease, FeedEntry, Publication
from imagepipe.delivery.outbox import request_overdue
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.delivery.upkeep import SWEEP_AGE, refresh_documents, sweep_masters
from imagepipe.events import bus
from imagepipe.exceptions import LeaseLost
from imagepipe.grants import SHARDS, feed_path
from imagepipe.rights.models import RightsRecord
from tests.delivery.library import Library


class Crash(Exception):
    """Stands for a process that dies."""


def test_a_crash_after_commit_is_repaired(library: Library) -> None:
    asset = library.asset()
    PublishVersion(library.version(asset), None).execute()  # no follow-up ever runs
    asset.refresh_from_db()
    assert asset.image is None
    assert reconcile_now().written == [asset.uid.hex]
    asset.refresh_from_db()
    assert asset.image is not None
    assert library.publication(asset).observed == 1


@pytest.mark.parametrize(
    "place",
    [
        (masters, "read"),
        (storage, "put"),
        (feeds, "append"),
        (feeds, "write_feed"),
        (images, "project_image"),
        (reconcile, "_prepare_parent"),
    ],
    ids=lambda place: place[1],
)
def test_a_crash_anywhere_is_repaired(
    library: Library, place: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = library.asset()
    PublishVersion(library.version(asset), None).execute()

    def crash(*args: Any, **kwargs: Any) -> None:
        raise Crash("disk gone")

    with monkeypatch.context() as patch:
        patch.setattr(*place, crash)
        assert reconcile_now().failed == [asset.uid.hex]
    publication = library.publication(asset)
    assert (publication.observed, publication.attempts) == (0, 1)
    assert publication.last_error == "Crash: disk gone"
    assert not reconcile_now(), "it waits before it tries again"

    Publication.objects.update(retry_at=timezone.now())
    assert reconcile_now().written == [asset.uid.hex]
    publication = library.publication(asset)
    assert (publication.observed, publication.attempts, publication.last_error) == (1, 0, "")
    assert [entry.grant_sequence for entry in library.feed(asset).entries] == [1]


def test_pauses_grow_and_end_with_new_changes(library: Library) -> None:
    asset = library.asset()
    version = library.version(asset)
    PublishVersion(version, None).execute()
    library.private.joinpath(version.master_name).unlink()
    for _attempt in range(3):
        Publication.objects.update(retry_at=None)
        reconcile_now()
    publication = library.publication(asset)
    assert publication.attempts == 3
    assert 7 < (publication.retry_at - timezone.now()).total_seconds() <= 8
    WithdrawAsset(asset, None, reason="test").execute()
    assert reconcile_now().written == [asset.uid.hex]


def test_one_broken_asset_does_not_hold_up_others(library: Library) -> None:
    broken, whole = library.asset(), library.asset()
    version = library.version(broken)
    PublishVersion(version, None).execute()
    PublishVersion(library.version(whole), None).execute()
    library.private.joinpath(version.master_name).unlink()
    result = reconcile_now()
    assert (result.failed, result.written) == ([broken.uid.hex], [whole.uid.hex])


def test_rights_of_a_published_picture_reach_the_edge(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()
    end = timezone.now() + dt.timedelta(days=3)
    RightsRecord.objects.filter(asset=asset).update(valid_until=end, markets=["de"])
    bus._deliver(bus.AssetChanged(asset.uid.hex))
    reconcile_now()
    granted = library.grant(asset).versions[0]
    assert (granted.valid_until, granted.markets) == (int(end.timestamp()), ("DE",))
    assert library.publication(asset).document["valid_until"] == int(end.timestamp())


def test_changes_whose_event_was_lost_are_noticed(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()
    text = asset.alttext_set.get(language="en")
    text.text = "Ships"
    text.save()
    assert request_overdue() == 1
    assert request_overdue() == 0
    reconcile_now()
    assert library.grant(asset).sequence == 2
    assert library.grant(asset).versions[0].credit["alt"] == "Ships"
    assert not reconcile_now()


def test_assets_that_edges_do_not_know_are_left_alone(library: Library) -> None:
    asset = library.asset()
    bus._deliver(bus.AssetChanged(asset.uid.hex))
    assert not Publication.objects.exists()


def test_a_window_turned_round_is_never_open(library: Library) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    now = timezone.now()
    RightsRecord.objects.filter(asset=asset).update(
        valid_from=now + dt.timedelta(days=2), valid_until=now + dt.timedelta(days=1)
    )
    reconcile_now(asset=asset)
    granted = library.grant(asset).versions[0]
    assert (granted.valid_from, granted.valid_until) == (None, 1)


def test_the_feed_is_in_the_order_of_writing(library: Library) -> None:
    assets = [library.asset() for _number in range(6)]
    for asset in assets:
        PublishVersion(library.version(asset), None).execute()
    reconcile_now()
    for asset in reversed(assets):
        WithdrawAsset(asset, None, reason="test").execute()
    reconcile_now()
    for asset in assets:
        entries = library.feed(asset).entries
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
        own = [entry.grant_sequence for entry in entries if entry.asset == asset.uid.hex]
        assert own == [1, 2]
        assert entries[0].tags[0] == f"asset-{entries[0].asset}"


def test_only_one_process_writes(library: Library) -> None:
    PublishVersion(library.version(library.asset()), None).execute()
    with Lease() as other:
        assert other.held
        result = reconcile_now()
        assert (result.busy, result.written) == (True, [])
    assert reconcile_now().written


def test_a_lease_that_ran_out_is_taken_over(db: None) -> None:
    first, second = Lease(), Lease()
    assert first.acquire()
    assert not second.acquire()
    DeliveryLease.objects.update(until=timezone.now() - dt.timedelta(seconds=1))
    assert second.acquire()
    with pytest.raises(LeaseLost):
        first.renew()
    first.release()
    second.renew()


@pytest.mark.django_db(transaction=True)
def test_two_reconcilers_at_once_write_one_feed(library: Library) -> None:
    if Collection.get_first_root_node() is None:  # an earlier test has emptied all tables
        Collection.add_root(name="Root")
    assets = [library.asset() for _number in range(5)]
    for asset in assets:
        PublishVersion(library.version(asset), None).execute()
    barrier = threading.Barrier(2)
    errors: list[Exception] = []

    def work() -> None:
        try:
            barrier.wait()
            for _round in range(40):
                reconcile_now()
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert not reconcile_now()
    assert FeedEntry.objects.count() == 5
    for asset in assets:
        assert library.grant(asset).sequence == 1
        sequences = [entry.sequence for entry in library.feed(asset).entries]
        assert sequences == list(range(1, len(sequences) + 1))


def test_documents_are_issued_anew(library: Library, settings: Any) -> None:
    asset = library.asset()
    library.do(PublishVersion(library.version(asset), None))
    reconcile_now()
    assert refresh_documents() == 0
    assert all((library.delivery / feed_path(shard)).exists() for shard in range(SHARDS))
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "GRANT_LIFETIME": 0}
    before = library.grant(asset)
    assert refresh_documents() == 1
    assert library.grant(asset).sequence == before.sequence
    assert library.grant(asset).valid_until < before.valid_until
    assert len(library.feed(asset).entries) == 1


def test_replaced_masters_stay_until_every_edge_knows(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = library.asset()
    first, second = library.version(asset), library.version(asset)
    for version in (first, second):
        library.do(PublishVersion(version, None))
        reconcile_now()
    assert library.delivered_masters() == {first.sha256, second.sha256}
    assert sweep_masters() == []
    later = timezone.now() + SWEEP_AGE
    monkeypatch.setattr("imagepipe.delivery.upkeep.timezone.now", lambda: later)
    assert sweep_masters() == [first.sha256]
    assert library.delivered_masters() == {second.sha256}
    assert (library.private / first.master_name).exists()


def test_files_are_replaced_as_a_whole(library: Library) -> None:
    storage.put("feed/xx.json", b"one")
    storage.put("feed/xx.json", b"two")
    assert [path.name for path in (library.delivery / "feed").iterdir()] == ["xx.json"]
    assert storage.get("feed/xx.json") == b"two"
    assert storage.get("feed/no.json") is None
