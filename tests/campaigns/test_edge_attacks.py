"""Hostile addresses and damaged pictures.

A sample in the suite; ``IMAGEPIPE_CAMPAIGN_URLS=1000000
IMAGEPIPE_CAMPAIGN_PICTURES=20000`` is the whole campaign.
Everything is seeded (``IMAGEPIPE_CAMPAIGN_SEED``).
"""

from __future__ import annotations

import io
import json
import os
import random
import time
from collections import Counter

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from tests.edge.conftest import encoded

URLS = int(os.environ.get("IMAGEPIPE_CAMPAIGN_URLS", "400"))
PICTURES = int(os.environ.get("IMAGEPIPE_CAMPAIGN_PICTURES", "16"))
SEED = int(os.environ.get("IMAGEPIPE_CAMPAIGN_SEED", "20261123"))
DEADLINE = 15.0
DOCUMENTED = {200, 206, 304, 400, 401, 403, 404, 405, 410, 416, 422, 429, 451, 501, 502, 503}
TOKENS = (
    "w_1|w_320|h_9999999|c_fill|q_0|q_80|full|g_face|,|/|//|..|%2e|\0|\x7f|é|x1/|x99999999999/|"
    ".jpg|.auto|.svg|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|k1|_|-|{|r_1.2.3.4|bg_zzzzzz|?|#|\r\n"
).split("|")

parts = st.lists(
    st.one_of(
        st.sampled_from(TOKENS),
        st.text(st.characters(codec="latin-1"), max_size=12),
        st.integers(0, 10**6).map(str),
    ),
    min_size=1,
    max_size=10,
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The same picture with a few bytes changed, moved, doubled or lost."""
    body = bytearray(data)
    for _ in range(rng.choice((1, 2, 5, 30))):
        place = rng.randrange(len(body))
        kind = rng.randrange(5)
        if kind == 0:
            body[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            body[place : place + rng.randrange(1, 64)] = b""
        elif kind == 2:
            body[place:place] = rng.randbytes(rng.randrange(1, 64))
        elif kind == 3:
            body[place : place + 4] = b"\xff\xff\xff\xff"
        elif len(body) > 200:
            del body[max(100, place) :]
        if len(body) < 50:
            break
    return bytes(body)


def resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_addresses(delivery, get, master, capsys):
    asset = delivery.publish(delivery.version(master))
    good = delivery.url(asset, "w_64")
    assert get(good).status == 200
    path = good.split("/", 3)[3]
    statuses: Counter[int] = Counter()
    slowest = [0.0]

    @seed(SEED)
    @settings(
        max_examples=URLS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(parts, st.integers(0, 4), st.integers(0, 200))
    def attack(pieces: list[str], kind: int, place: int) -> None:
        text = "".join(pieces)
        if kind == 0:
            url = text if text.startswith("/") else f"/{text}"
        elif kind == 1:
            url = good[: place % len(good)] + text + good[place % len(good) :]
        elif kind == 4:
            inner = f"w_{place + 1}/{path.partition('/')[2]}"
            url = f"/k1/{delivery.keyring.signature('k1', inner)}/{inner}"
        else:  # signed with the right key: what a leaked key could ask for
            spot = place % len(path)
            inner = text if kind == 2 else path[:spot] + text + path[spot + len(text) :]
            url = f"/k1/{delivery.keyring.signature('k1', inner)}/{inner}"
        started = time.perf_counter()
        answer = get(url, accept=text[:50], if_none_match=text[:50], range=f"bytes={text[:9]}")
        slowest[0] = max(slowest[0], time.perf_counter() - started)
        statuses[answer.status] += 1
        assert answer.status in DOCUMENTED, (url, answer.status, answer.body)
        if answer.status >= 400 and answer.status != 416:
            assert json.loads(answer.body)["reason"] not in ("", "internal")

    before = resident()
    attack()
    with capsys.disabled():
        told = f"{sum(statuses.values())} addresses: {dict(statuses)}"
        print(f"\n{told}, slowest {slowest[0]:.2f} s")  # noqa: T201
    assert slowest[0] < DEADLINE
    assert resident() - before < 300 * 1024 * 1024


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
    def attack(pieces: list[str], odd: str | None, place: int) -> None:
        if odd is not None and len(pieces) == 4:
            pieces[place] = odd
        tail = "/".join(pieces)
        answer = get(f"/iiif/3/{asset}/{tail}", host="x", accept=tail[:50])
        statuses[answer.status] += 1
        assert answer.status in DOCUMENTED | {303}, (tail, answer.status, answer.body)
        if answer.status >= 400:
            assert json.loads(answer.body)["reason"] not in ("", "internal")

    before = resident()
    attack()
    with capsys.disabled():
        print(f"\n{sum(statuses.values())} IIIF addresses: {dict(statuses)}")  # noqa: T201
    assert resident() - before < 300 * 1024 * 1024


def test_damaged_pictures(delivery, get, photo, capsys):
    rng = random.Random(SEED)
    small = photo.resize((160, 120))
    moving = {"save_all": True, "append_images": [small.rotate(90), small.rotate(180)]}
    originals = {
        "image/jpeg": [encoded(small), encoded(small, progressive=True)],
        "image/png": [encoded(small, "PNG"), encoded(small.convert("P"), "PNG")],
        "image/webp": [encoded(small, "WEBP"), encoded(small, "WEBP", **moving)],
        "image/avif": [encoded(small, "AVIF", speed=10)],
        "image/gif": [encoded(small, "GIF"), encoded(small, "GIF", **moving)],
    }
    seen: Counter[str] = Counter()
    slowest, before = 0.0, resident()
    for number in range(PICTURES):
        mime = list(originals)[number % len(originals)]
        data = mutated(rng.choice(originals[mime]), rng)
        version = delivery.version(data, mime, upright=small.size, parent=False)
        asset = delivery.publish(version)
        extension = rng.choice(("jpg", "webp", "avif", "png", "gif"))
        started = time.perf_counter()
        answer = get(delivery.url(asset, "w_80", extension))
        slowest = max(slowest, time.perf_counter() - started)
        seen[f"{answer.status}"] += 1
        assert answer.status in (200, 422, 502), (number, answer.body)
        if answer.status == 200:
            with Image.open(io.BytesIO(answer.body)) as picture:
                picture.load()
                assert picture.width <= 160
        if number % 50 == 49:
            for path in delivery.storage.rglob("*"):
                if path.is_file() and "masters" in path.parts:
                    path.unlink()
    with capsys.disabled():
        print(f"\n{PICTURES} damaged pictures: {dict(seen)}, slowest {slowest:.2f} s")  # noqa: T201
    assert slowest < DEADLINE
    assert resident() - before < 300 * 1024 * 1024
