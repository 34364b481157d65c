"""Kill -9 while files are written, a full disk, a wrong clock, and three times too much work.

A sample in the suite. The whole campaign: ``IMAGEPIPE_CAMPAIGN_KILLS=500
IMAGEPIPE_CAMPAIGN_OVERLOAD=60``.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import random
import resource
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from edge.cache import CacheKey, Picture
from edge.disk import DiskCache
from edge.placement import Placement, Shelf
from imagepipe.urlspec import Keyring

KILLS = int(os.environ.get("IMAGEPIPE_CAMPAIGN_KILLS", "25"))
OVERLOAD = float(os.environ.get("IMAGEPIPE_CAMPAIGN_OVERLOAD", "4"))
SEED = int(os.environ.get("IMAGEPIPE_CAMPAIGN_SEED", "20261123"))
ASSETS = 12


def body_of(number: int, turn: int) -> bytes:
    """Bytes that tell for themselves whether they are whole: a hash, then what it is of."""
    data = random.Random(f"{number}.{turn}").randbytes(20_000 + number * 9_000)
    return hashlib.sha256(data).digest() + data


def is_whole(body: bytes) -> bool:
    return hashlib.sha256(body[32:]).digest() == body[:32] and len(body) > 20_000


def sidecar_of(body: bytes) -> bytes:
    """As a credential does, it tells which bytes it belongs to."""
    return hashlib.sha256(body).digest() * 200


def write_for_ever(folder: Path, start: int) -> None:
    """What processes of the edge do, as fast as they can."""
    cache = DiskCache(folder / "renditions", 10**9)
    shelf = Shelf(folder / "placed", 10**9)
    for turn in itertools.count(start):
        for number in range(ASSETS):
            body, asset = body_of(number, turn), f"{number:032x}"
            picture = Picture.of(body, sidecar_of(body) if number % 2 else b"")
            cache.put(CacheKey(asset, "0" * 16, "1" * 40), picture)
            address = f"/k1/{'s' * 43}/w_1/{asset}.{'0' * 16}/p{number}.jpg"
            shelf.place(Placement(address, asset, "0" * 16, 2**40, picture), lambda: True)


def test_kill_9_while_files_are_written(tmp_path, capsys):
    Shelf(tmp_path / "placed", 10**9).allow(Keyring.generate())
    rng = random.Random(SEED)
    cache = DiskCache(tmp_path / "renditions", 10**9)
    found = torn = 0
    for turn in range(KILLS):
        children = []
        for child in range(2):
            pid = os.fork()
            if pid == 0:
                try:
                    write_for_ever(tmp_path, turn * 1_000_000 + child * 500_000)
                finally:
                    os._exit(1)
            children.append(pid)
        time.sleep(rng.uniform(0.005, 0.06))
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for number in range(ASSETS):
            picture = cache.get(CacheKey(f"{number:032x}", "0" * 16, "1" * 40))
            if picture is not None:
                found += 1
                assert is_whole(picture.body)
                assert picture.sidecar == (sidecar_of(picture.body) if number % 2 else b"")
                if number % 2:
                    asset = f"{number:032x}"
                    beside = cache.find(asset, "0" * 16, picture.pair)
                    assert beside is None or beside == picture
        for path in (tmp_path / "placed" / "pictures").rglob("*.jpg"):
            torn += not is_whole(body := path.read_bytes())
            beside = path.with_name(f"{path.name}.c2pa") / Picture.of(body, b"-").pair
            if beside.exists():
                torn += beside.read_bytes() != sidecar_of(body)
    with capsys.disabled():
        print(f"\n{KILLS} kills of 2 processes each: {found} pictures read back, {torn} torn")  # noqa: T201
    assert torn == 0
    assert found > 0
    shelf = Shelf(tmp_path / "placed", 10**9)
    for number in range(ASSETS):
        shelf.purge(f"{number:032x}")
    left = (tmp_path / "placed" / "pictures").rglob("*")
    assert not [path for path in left if path.is_file()]


def test_kill_9_of_the_edge_itself(delivery, master, start_server):
    asset = delivery.publish(delivery.version(master))
    rng = random.Random(SEED)
    urls = [delivery.url(asset, f"w_{width}") for width in range(100, 130)]
    known: dict[str, bytes] = {}
    for _ in range(max(1, KILLS // 25)):
        server = start_server(workers="2", placed=str(delivery.cache / "placed"))
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(ask, server, url) for url in urls]
            time.sleep(rng.uniform(0.1, 0.8))
            for pid in children_of(server.process.pid):
                os.kill(pid, signal.SIGKILL)
            server.process.kill()
            server.process.wait()
            bodies = [item.result() for item in work]
        again = start_server(workers="1", placed=str(delivery.cache / "placed"))
        for url, body in zip(urls, bodies, strict=True):
            after = again.get(url)
            assert after.status == 200
            Image.open(io.BytesIO(after.body)).load()
            if body is not None:
                known.setdefault(url, body)
            if url in known:
                assert len(after.body) == int(after.headers["Content-Length"])
            placed = delivery.cache / "placed" / "pictures" / url[1:]
            if placed.exists():
                Image.open(placed).load()
        again.stop()


def ask(server, url: str) -> bytes | None:
    try:
        answer = server.get(url)
    except OSError:
        return None
    return answer.body if answer.status == 200 else None


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


@contextmanager
def small_files_only(size: int) -> Iterator[None]:
    """The kernel refuses to write more: a full disk, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_only_speed(delivery, make_edge, master):
    asset = delivery.publish(delivery.version(master))
    get = make_edge(placed=str(delivery.cache / "placed"))
    url = delivery.url(asset, "w_400")
    with small_files_only(5_000):
        first = get(url)
        assert first.status == 200
        Image.open(io.BytesIO(first.body)).load()
        assert get(url).body == first.body
        time.sleep(0.3)
    files = [path for path in (delivery.cache / "renditions").rglob("*") if path.is_file()]
    files += list((delivery.cache / "placed").rglob("*.jpg"))
    assert files == []
    assert make_edge()(url).status == 200


def test_a_wrong_clock(delivery, make_edge, master):
    """An hour behind, pictures are shown; behind their begin or past the grace they are not."""
    now = int(time.time())
    plain = delivery.publish(delivery.version(master))
    begun = delivery.publish(delivery.version(master, valid_from=now - 600))
    behind = make_edge(clock=lambda: now - 3600)
    ahead = make_edge(clock=lambda: now + 3600 + 3599)
    far_ahead = make_edge(clock=lambda: now + 3600 + 3601)

    assert behind(delivery.url(plain)).status == 200
    assert behind(delivery.url(begun)).status == 403
    assert ahead(delivery.url(plain)).status == 200
    assert far_ahead(delivery.url(plain)).status == 503


def test_three_times_too_much_work(delivery, photo, start_server, capsys):
    from tests.edge.conftest import encoded

    asset = delivery.publish(delivery.version(encoded(photo, quality=92)))
    # Of two seconds half a second is left for what happens before Python hears of a request.
    server = start_server(workers="1", renderers="1", threads="16", deadline="1.5")
    widths = itertools.count(50)
    seen: list[tuple[int, float, bool]] = []
    lock = threading.Lock()

    def once() -> None:
        with lock:
            width = next(widths)
        started = time.perf_counter()
        answer = server.get(delivery.url(asset, f"w_{width % 4000},q_{width % 90 + 5}"))
        seconds = time.perf_counter() - started
        is_right = answer.status == 503 and answer.headers["Retry-After"] == "2"
        if answer.status == 200:
            Image.open(io.BytesIO(answer.body)).load()
            is_right = len(answer.body) == int(answer.headers["Content-Length"])
        with lock:
            seen.append((answer.status, seconds, is_right))

    once()
    started = time.perf_counter()
    for _ in range(8):
        once()
    rate = 3 * 8 / (time.perf_counter() - started)
    seen.clear()
    begun, due = time.perf_counter(), 0.0
    with ThreadPoolExecutor(200) as pool:
        while due < OVERLOAD:
            pool.submit(once)
            due += 1 / rate
            time.sleep(max(0.0, begun + due - time.perf_counter()))
    accepted = sorted(seconds for status, seconds, _ in seen if status == 200)
    refused = sorted(seconds for status, seconds, _ in seen if status == 503)
    recovered = time.perf_counter()
    while server.get(delivery.url(asset, f"w_{next(widths) % 4000},q_99")).status != 200:
        assert time.perf_counter() - recovered < 10
    recovered = time.perf_counter() - recovered
    inside = quantile(told(server.log, 200)), quantile(told(server.log, 503))
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{rate:.0f} requests/s for {OVERLOAD:.0f} s: {len(accepted)} accepted, "
            f"p99 {quantile(accepted):.2f} s; {len(refused)} refused, "
            f"median {statistics.median(refused or [0]):.3f} s, p99 {quantile(refused):.2f} s; "
            f"recovered in {recovered:.2f} s; by the server's own clock p99 "
            f"{inside[0]:.2f} s and {inside[1]:.3f} s"
        )
    assert accepted
    assert all(is_right for _, _, is_right in seen)


def told(log: Path, status: int) -> list[float]:
    """Seconds that answers with a status took, sorted, by the log of an edge."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
    return sorted(line["ms"] / 1000 for line in lines if line.get("status") == status)


def quantile(values: list[float]) -> float:
    return values[int(len(values) * 0.99)] if values else 0.0
