"""Caches, single flight, queue and health."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.cache import CacheKey, MemoryCache, Picture
from edge.disk import DiskCache
from edge.exceptions import Overloaded
from edge.flight import FileLocks, SingleFlight

KEY = CacheKey("ab" * 16, "cd" * 8, "ef" * 32)


def key(number: int, asset: str = "ab" * 16) -> CacheKey:
    return CacheKey(asset, "cd" * 8, f"{number:x}".ljust(64, "0"))


def test_memory_is_bounded_by_bytes_and_forgets_what_was_used_longest_ago():
    cache = MemoryCache(300)
    pictures = [Picture.of(bytes([number]) * 100) for number in range(4)]
    for number in range(3):
        cache.put(key(number), pictures[number])
    cache.get(key(0))

    cache.put(key(3), pictures[3])

    assert [cache.get(key(n)) is not None for n in range(4)] == [True, False, True, True]
    cache.put(key(5), Picture.of(b"x" * 301))
    assert cache.get(key(5)) is None
    cache.purge("ab" * 16)
    assert cache.get(key(0)) is None


def test_disk_survives_a_new_process(tmp_path: Path):
    DiskCache(tmp_path, 10**6).put(KEY, Picture.of(b"picture"))

    assert DiskCache(tmp_path, 10**6).get(KEY) == Picture.of(b"picture")


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "header", "grown"])
def test_a_torn_file_is_never_served(tmp_path: Path, damage: str):
    cache = DiskCache(tmp_path, 10**6)
    cache.put(KEY, Picture.of(b"picture" * 100))
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    data = file.read_bytes()
    flipped = bytearray(data)
    flipped[-5] ^= 1
    file.write_bytes(
        {
            "cut": data[:-10],
            "empty": b"",
            "flip": bytes(flipped),
            "header": data[1:],
            "grown": data + b"\0",
        }[damage]
    )

    assert cache.get(KEY) is None
    assert not file.exists()


def test_a_full_disk_costs_only_speed(tmp_path: Path, monkeypatch):
    cache = DiskCache(tmp_path, 10**6)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.disk.os.replace", full)
    cache.put(KEY, Picture.of(b"picture"))

    assert cache.get(KEY) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_tidying_deletes_the_oldest_first(tmp_path: Path):
    cache = DiskCache(tmp_path, 1000)
    for number in range(10):
        cache.put(key(number), Picture.of(b"x" * 200))
        (file,) = tmp_path.rglob(f"*-{number:x}0*")
        os.utime(file, (number, number))

    cache.tidy()

    left = [number for number in range(10) if cache.get(key(number)) is not None]
    assert left == [7, 8, 9]


def test_purging_keeps_the_named_versions(tmp_path: Path):
    cache = DiskCache(tmp_path, 10**6)
    kept = CacheKey("ab" * 16, "11" * 8, "ef" * 32)
    for item in (KEY, kept):
        cache.put(item, Picture.of(b"x"))

    cache.purge("ab" * 16, frozenset({"11" * 8}))

    assert cache.get(KEY) is None
    assert cache.get(kept) is not None


def test_work_is_done_once_for_all_who_wait():
    flights: SingleFlight[int] = SingleFlight()
    calls = []

    def work() -> int:
        calls.append(1)
        time.sleep(0.1)
        return 7

    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda _: flights.run("k", work, time.monotonic() + 5), range(16)))

    assert len(calls) == 1
    assert [result for result, _ in done] == [7] * 16
    assert sum(is_leader for _, is_leader in done) == 1


def test_an_error_reaches_everybody_and_is_not_kept():
    flights: SingleFlight[int] = SingleFlight()

    def fail() -> int:
        time.sleep(0.05)
        raise ValueError("no")

    def attempt(_: int) -> str:
        try:
            flights.run("k", fail, time.monotonic() + 5)
        except ValueError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(attempt, range(4))) == ["no"] * 4
    assert flights.run("k", lambda: 1, time.monotonic() + 5) == (1, True)


def test_who_waits_too_long_is_turned_away():
    flights: SingleFlight[int] = SingleFlight()
    release = threading.Event()
    worker = threading.Thread(
        target=flights.run, args=("k", lambda: release.wait(5) or 0, time.monotonic() + 5)
    )
    worker.start()
    time.sleep(0.05)

    with pytest.raises(Overloaded):
        flights.run("k", lambda: 1, time.monotonic() + 0.05)
    release.set()
    worker.join()


def test_file_locks_exclude_each_other(tmp_path: Path):
    locks = FileLocks(tmp_path)

    with locks.hold("abc", time.monotonic() + 1):
        with pytest.raises(Overloaded), locks.hold("abc", time.monotonic() + 0.05):
            pass
        with locks.hold("abd", time.monotonic() + 1):
            pass
    with locks.hold("abc", time.monotonic() + 0.05):
        pass


def test_overload_is_503_with_a_time_to_come_back(delivery, make_edge, master):
    asset = delivery.publish(delivery.version(master))
    get = make_edge(deadline="0.05", renderers="1")
    app = get.app
    warm = delivery.url(asset, "w_64")
    assert get(warm).status == 200

    with app.producer._gate.slot(time.monotonic() + 1):
        answer = get(delivery.url(asset, "w_65"))
        assert get(warm).status == 200

    assert (answer.status, json.loads(answer.body)["reason"]) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "2"
    assert get(delivery.url(asset, "w_65")).status == 200


def test_a_restart_serves_from_disk(delivery, make_edge, master):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    first = make_edge()(url)

    again = make_edge()(url)

    assert again.body == first.body
    assert again.headers["Server-Timing"].startswith("cache;desc=disk")


def test_changed_credit_makes_new_bytes(delivery, get, master):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    before = get(url)

    delivery.change(asset, credit={"title": "Renamed"})

    assert get(url).headers["ETag"] != before.headers["ETag"]


def test_health_readiness_and_metrics(delivery, get, master):
    asset = delivery.publish(delivery.version(master))
    assert json.loads(get("/healthz").body) == {"status": "ok"}
    ready = get("/readyz")
    assert ready.status == 200
    assert json.loads(ready.body)["checks"] == {"storage": "ok", "feed": "ok", "cache": "ok"}

    get(delivery.url(asset))
    get(delivery.url(asset))
    text = get("/metrics").body.decode()
    for line in (
        'imagepipe_edge_renders_total{format="jpg"} 1.0',
        'imagepipe_edge_requests_total{cache="memory",reason="ok",status="200"} 1.0',
        'imagepipe_edge_signatures_total{outcome="sidecar"} 1.0',
        "imagepipe_edge_feed_fresh 1.0",
    ):
        assert line in text.splitlines()


def test_not_ready_without_storage(delivery, make_edge):
    get = make_edge(poll="0.05")
    shutil.rmtree(delivery.storage)
    time.sleep(1.4)

    answer = get("/readyz")

    assert answer.status == 503
    assert json.loads(answer.body)["checks"] == {
        "storage": "failed",
        "feed": "failed",
        "cache": "ok",
    }
    assert get("/healthz").status == 200
