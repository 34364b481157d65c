"""Hostile requests and damaged pictures.

A sample in the suite; ``IMAGEPIPE_CAMPAIGN_URLS=1000000 IMAGEPIPE_CAMPAIGN_SOCKETS=20000
IMAGEPIPE_CAMPAIGN_PICTURES=20000`` is the whole campaign, which ``progress.py`` lets run in
pieces. Everything is seeded (``IMAGEPIPE_CAMPAIGN_SEED``).
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import random
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image

from tests.campaigns.edge_attacks import SHOTS, Attack, mutated, volleys
from tests.campaigns.progress import SEED, Progress
from tests.campaigns.test_edge_faults import children_of
from tests.edge.conftest import encoded

URLS = int(os.environ.get("IMAGEPIPE_CAMPAIGN_URLS", "400"))
SOCKETS = int(os.environ.get("IMAGEPIPE_CAMPAIGN_SOCKETS", "100"))
PICTURES = int(os.environ.get("IMAGEPIPE_CAMPAIGN_PICTURES", "16"))
URLS_IN_PART, SOCKETS_IN_PART, PICTURES_IN_PART = 25_000, 2_000, 500
DEADLINE = 15.0
DOCUMENTED = {200, 206, 304, 400, 401, 403, 404, 405, 410, 416, 422, 429, 451, 501, 502, 503}
#: What one process may grow by, in MB: at any moment, and from the first part to the last.
MOST_PEAK, MOST_GROWTH = 400, 100


def memory() -> tuple[float, float]:
    """Megabytes resident now, and at most since `forget_peak`."""
    with open("/proc/self/status", encoding="ascii") as file:
        found = dict(line.split(":", 1) for line in file)
    return int(found["VmRSS"].split()[0]) / 1024, int(found["VmHWM"].split()[0]) / 1024


@contextlib.contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Memory of a part; where it hangs for a quarter of an hour, the stacks of all threads."""
    before = memory()[0]
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    found: dict[str, float] = {}
    faulthandler.dump_traceback_later(900, exit=True, file=sys.__stderr__)
    begun = time.perf_counter()
    yield found
    faulthandler.cancel_dump_traceback_later()
    now, most = memory()
    found |= {"resident": round(now), "peak": round(most - before)}
    found["seconds"] = round(time.perf_counter() - begun, 1)


def tell(what: str, progress: Progress, name: str = "statuses") -> None:
    counts = dict(sorted(progress.total(name).items()))
    sys.stdout.write(
        f"\n{sum(counts.values())} {what}: {counts}, slowest {progress.most('slowest'):.2f} s, "
        f"memory at most {progress.most('peak'):.0f} MB more within a part\n"
    )


def judge(progress: Progress, first: float) -> None:
    """The limits that hold for all parts together, and the growth of this process."""
    assert progress.most("slowest") < DEADLINE
    assert progress.most("peak") < MOST_PEAK
    assert memory()[0] - first < MOST_GROWTH


def parts_of(total: int, size: int) -> int:
    return -(-total // size)


IIIF_TOKENS = (
    "full|square|max|^max|!|^|pct:|,|/|0|1|90|360|default.jpg|gray.png|bitonal.webp|info.json|"
    "0,0,64,64|pct:1.5,2,30,40|99999999999|.5|1e9|-1|%2f|..|.c2pa/5e86eb61-bf3|64,|,64|!9,9"
).split("|")


def test_iiif_addresses(delivery, get, master, capsys):
    asset = delivery.publish(delivery.version(master, parent=False), iiif=True)
    statuses: Counter[int] = Counter()
    junk = st.lists(st.sampled_from(IIIF_TOKENS), min_size=1, max_size=3).map("".join)
    number = st.integers(0, 700).map(str)
    box = st.tuples(number, number, number, number).map(",".join)
    box |= box.map(lambda text: f"pct:{text}")
    size = st.tuples(st.sampled_from(["", "^", "!", "^!"]), number, number)
    good = st.tuples(
        st.sampled_from(["full", "square"]) | box,
        st.sampled_from(["max", "^max", "64,"]) | size.map("{0[0]}{0[1]},{0[2]}".format),
        st.sampled_from(["0", "90", "!180", "270.0"]),
        st.sampled_from(["default.jpg", "color.png", "gray.webp", "bitonal.png"]),
    ).map(list)

    @seed(SEED)
    @settings(
        max_examples=URLS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(junk, max_size=5) | good, st.none() | junk, st.integers(0, 3))
    def play(pieces: list[str], odd: str | None, place: int) -> None:
        if odd is not None and len(pieces) == 4:
            pieces[place] = odd
        tail = "/".join(pieces)
        answer = get(f"/iiif/3/{asset}/{tail}", host="x", accept=tail[:50])
        statuses[answer.status] += 1
        assert answer.status in DOCUMENTED | {303}, (tail, answer.status, answer.body)
        if answer.status >= 400:
            assert json.loads(answer.body)["reason"] not in ("", "internal")

    with watched() as found:
        play()
    with capsys.disabled():
        print(f"\n{sum(statuses.values())} IIIF addresses: {dict(statuses)}")  # noqa: T201
    assert found["peak"] < MOST_PEAK


def attack(
    number: int, volley: SearchStrategy[list[Attack]], start: int, fire: Callable[[Attack], str]
) -> Counter[str]:
    """Fire drawn requests until they are as many as that; counts by what `fire` tells."""
    seen: Counter[str] = Counter()

    @seed(start)
    @settings(
        max_examples=-(-number // SHOTS),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(volley)
    def play(asked: list[Attack]) -> None:
        seen.update(map(fire, asked))

    play()
    return seen


def test_addresses(delivery, make_edge, photo, capsys):
    asset = delivery.publish(delivery.version(encoded(photo.resize((160, 120)))))
    good = delivery.url(asset, "w_64")
    key = delivery.root / "purge-key"
    key.write_bytes(b"0123456789abcdef0123456789abcdef")
    get = make_edge(purge_key=str(key))
    assert get(good).status == 200
    slowest = 0.0

    def fire(asked: Attack) -> str:
        nonlocal slowest
        started = time.perf_counter()
        answer = get(asked.url, asked.method, **asked.headers)
        slowest = max(slowest, time.perf_counter() - started)
        assert answer.status in DOCUMENTED, (asked, answer.status, answer.body)
        if answer.status >= 400 and answer.status != 416 and asked.method != "HEAD":
            assert json.loads(answer.body)["reason"] not in ("", "internal")
        return str(answer.status)

    progress = Progress("addresses", parts_of(URLS, URLS_IN_PART))
    first = 0.0
    for part in progress.missing():
        slowest = 0.0
        with watched() as found:
            volley = volleys(good, delivery.keyring)
            statuses = attack(min(URLS, URLS_IN_PART), volley, SEED + part, fire)
        first = first or memory()[0]
        progress.note(part, statuses=statuses, slowest=round(slowest, 3), **found)
        shutil.rmtree(delivery.cache / "renditions", ignore_errors=True)
    with capsys.disabled():
        tell("requests", progress)
    judge(progress, first)


def raw(port: int, request: bytes, is_whole: bool) -> bytes:
    """All that a server answers to these bytes; where they are not whole, nothing follows."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as line:
        answer = b""
        with contextlib.suppress(ConnectionError):
            line.sendall(request)
            if not is_whole:
                line.shutdown(socket.SHUT_WR)
            while chunk := line.recv(65536):
                answer += chunk
        return answer


def test_requests_over_sockets(delivery, photo, start_server, capsys):
    """What the server itself makes of such requests, spoilt once more as bytes."""
    asset = delivery.publish(delivery.version(encoded(photo.resize((160, 120)))))
    good = delivery.url(asset, "w_64")
    server = start_server(workers="2")
    workers = children_of(server.process.pid)
    rng, slowest = random.Random(SEED), 0.0

    def fire(asked: Attack) -> str:
        nonlocal slowest
        url = asked.url if rng.random() < 0.3 else quote(asked.url, safe="/?&=,.-_%")
        lines = [f"{asked.method} {url} HTTP/1.1", "Host: x", "Connection: close"]
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in asked.headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        is_whole = rng.random() < 0.7
        if not is_whole:
            request = mutated(request, rng)
        started = time.perf_counter()
        answer = raw(server.port, request, is_whole)
        slowest = max(slowest, time.perf_counter() - started)
        if not answer:
            return "closed"
        head = answer[:12].decode("latin-1")
        assert head.startswith(("HTTP/1.1 ", "HTTP/1.0 ")), (request, answer)
        assert int(head[9:]) in DOCUMENTED, (request, answer)
        return head[9:]

    progress = Progress("sockets", parts_of(SOCKETS, SOCKETS_IN_PART))
    for part in progress.missing():
        slowest = 0.0
        rng.seed(SEED + part)
        with watched() as found:
            volley = volleys(good, delivery.keyring)
            statuses = attack(min(SOCKETS, SOCKETS_IN_PART), volley, SEED + part, fire)
        progress.note(part, statuses=statuses, slowest=round(slowest, 3), **found)
    with capsys.disabled():
        tell("requests over sockets", progress)
    assert progress.most("slowest") < DEADLINE
    assert server.get(good).status == 200
    assert children_of(server.process.pid) == workers, "a worker died"


@pytest.fixture(scope="module")
def originals(photo) -> dict[str, list[bytes]]:
    small, large = photo.resize((160, 120)), photo.resize((640, 480))
    moving = {"save_all": True, "append_images": [small.rotate(90), small.rotate(180)]}
    return {
        "image/jpeg": [
            encoded(small),
            encoded(small, progressive=True),
            encoded(large, quality=60, exif=b"Exif\0\0" + b"MM\0*\0\0\0\x08" + bytes(60)),
            encoded(small.convert("CMYK")),
        ],
        "image/png": [
            encoded(small, "PNG"),
            encoded(small.convert("P"), "PNG"),
            encoded(small.convert("LA"), "PNG"),
        ],
        "image/webp": [
            encoded(small, "WEBP"),
            encoded(large.convert("RGBA"), "WEBP", quality=50),
            encoded(small, "WEBP", lossless=True),
            encoded(small, "WEBP", **moving),
        ],
        "image/gif": [encoded(small, "GIF"), encoded(small, "GIF", **moving)],
        "image/avif": [encoded(small, "AVIF", speed=10), encoded(large, "AVIF", speed=10)],
    }


def test_damaged_pictures(delivery, get, originals, capsys):
    progress = Progress("pictures", parts_of(PICTURES, PICTURES_IN_PART))
    first = 0.0
    for part in progress.missing():
        rng, statuses, slowest = random.Random(SEED + part), Counter(), 0.0
        with watched() as found:
            for number in range(min(PICTURES, PICTURES_IN_PART)):
                mime = list(originals)[number % len(originals)]
                whole = rng.choice(originals[mime])
                size = Image.open(io.BytesIO(whole)).size
                data = mutated(whole, rng)
                version = delivery.version(data, mime, upright=size, parent=False)
                asset = delivery.publish(version)
                extension = rng.choice(("jpg", "webp", "avif", "png", "gif"))
                started = time.perf_counter()
                answer = get(delivery.url(asset, "w_80", extension))
                slowest = max(slowest, time.perf_counter() - started)
                statuses[str(answer.status)] += 1
                assert answer.status in (200, 422, 502), (part, number, answer.body)
                if answer.status == 200:
                    with Image.open(io.BytesIO(answer.body)) as picture:
                        picture.load()
                        assert picture.width <= 160
                if number % 50 == 49:
                    shutil.rmtree(delivery.storage / "masters")
        first = first or memory()[0]
        progress.note(part, statuses=statuses, slowest=round(slowest, 3), **found)
        shutil.rmtree(delivery.cache / "renditions", ignore_errors=True)
    with capsys.disabled():
        tell("damaged pictures", progress)
    judge(progress, first)
