from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.grants import (
    MOST_ENTRIES,
    FeedDocument,
    InvalidDocument,
    RolledBack,
    SequenceGuard,
    changes_since,
    feed_path,
    grant_path,
    master_path,
    parent_path,
    shard_of,
)

ASSET = "3" + "0" * 31


def feed_of(count: int) -> FeedDocument:
    feed = FeedDocument(3)
    for number in range(count):
        feed = feed.appended(ASSET, number, at=number)
    return feed


FEEDS = [feed_of(count) for count in (0, 1, 5, 255, 256, 257, 300, 700)]


@given(st.sampled_from(FEEDS), st.integers(0, 800))
def test_no_change_is_missed_without_notice(feed: FeedDocument, last: int) -> None:
    changes = changes_since(feed, last)
    if last > feed.sequence or feed.sequence - last > MOST_ENTRIES:
        assert changes is None
    else:
        assert changes is not None
        assert [entry.sequence for entry in changes] == list(range(last + 1, feed.sequence + 1))


def test_a_reader_that_knows_nothing_has_a_gap() -> None:
    assert changes_since(feed_of(2), None) is None


def test_an_emptied_feed_is_a_gap() -> None:
    assert changes_since(FeedDocument(3, sequence=9), 8) is None
    assert changes_since(FeedDocument(3, sequence=9), 9) == ()


def test_a_full_feed_is_small_enough_to_seal_and_valid() -> None:
    feed = feed_of(700)
    assert len(feed.entries) == MOST_ENTRIES
    assert FeedDocument.from_dict(feed.to_dict()) == feed


@pytest.mark.parametrize(
    "numbers, sequence", [((1, 1), 1), ((2, 1), 1), ((1, 2), 3), ((1, 2), 1), ((0, 1), 1)]
)
def test_disordered_feeds_are_refused(numbers: tuple[int, ...], sequence: int) -> None:
    data = feed_of(2).to_dict()
    for entry, number in zip(data["entries"], numbers, strict=True):
        entry["sequence"] = number
    with pytest.raises(InvalidDocument):
        FeedDocument.from_dict({**data, "sequence": sequence})


def test_an_asset_of_another_shard_is_refused() -> None:
    with pytest.raises(InvalidDocument):
        FeedDocument(4).appended(ASSET, 1, at=1)
    with pytest.raises(InvalidDocument):
        FeedDocument.from_dict({**feed_of(1).to_dict(), "shard": 4})


def test_too_many_entries_are_refused() -> None:
    data = feed_of(256).to_dict()
    data["entries"].append({**data["entries"][-1], "sequence": 257})
    with pytest.raises(InvalidDocument):
        FeedDocument.from_dict({**data, "sequence": 257})


def test_a_lower_sequence_is_rolled_back() -> None:
    guard = SequenceGuard()
    assert guard.accepts(ASSET, 5)
    assert guard.accepts(ASSET, 5)
    with pytest.raises(RolledBack):
        guard.accepts(ASSET, 4)
    assert guard.accepts("4" * 32, 1)
    assert guard.highest(ASSET) == 5
    assert guard.highest("5" * 32) is None


def test_an_announced_sequence_refuses_the_document_before_it() -> None:
    guard = SequenceGuard()
    guard.expect(ASSET, 7)
    guard.expect(ASSET, 6)
    with pytest.raises(RolledBack):
        guard.accepts(ASSET, 6)
    assert guard.accepts(ASSET, 7)


def test_a_guard_remembers_over_a_restart() -> None:
    guard = SequenceGuard()
    guard.accepts(ASSET, 5)
    with pytest.raises(RolledBack):
        SequenceGuard(guard.snapshot()).accepts(ASSET, 4)


@given(st.lists(st.integers(0, 20)))
def test_a_guard_accepts_exactly_what_is_not_lower(sequences: list[int]) -> None:
    guard, highest = SequenceGuard(), -1
    for sequence in sequences:
        if sequence < highest:
            with pytest.raises(RolledBack):
                guard.accepts(ASSET, sequence)
        else:
            assert guard.accepts(ASSET, sequence)
        highest = max(highest, sequence)


def test_a_guard_is_safe_between_threads() -> None:
    guard = SequenceGuard()

    def count() -> None:
        for sequence in range(2_000):
            guard.expect(ASSET, sequence)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guard.highest(ASSET) == 1_999


def test_paths() -> None:
    digest = "ab" + "0" * 62
    assert grant_path(ASSET) == f"grants/{ASSET}.json"
    assert feed_path(3) == "feed/03.json"
    assert master_path(digest) == f"masters/ab/{digest}"
    assert parent_path(digest) == f"credentials/{digest}.parent"
    assert [shard_of(f"{digit:x}" + "0" * 31) for digit in range(16)] == list(range(16))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 32 + "\n"])
def test_paths_refuse_anything_but_identifiers(name: str) -> None:
    for make in (grant_path, master_path, parent_path, shard_of):
        with pytest.raises(InvalidDocument):
            make(name)
    with pytest.raises(InvalidDocument):
        feed_path(16)
