"""Answers repeated from memory by their raw address, and old pictures in place of none."""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge.hits import HitCache, key_of
from edge.responses import Lifetime, Response, Terms
from imagepipe.grants import grant_path, master_path


def response(asset: str = "a", size: int = 100, until: float = 1e12) -> Response:
    terms = Terms(GRANTS.setdefault(asset, object()), until, True)
    return Response(200, [], b"x" * size, note={"asset": asset}, terms=terms)


GRANTS: dict[str, object] = {}


def test_answers_are_bounded_and_the_unused_go_first():
    hits = HitCache(3 * 2200, GRANTS.get)
    for name in "abc":
        hits.keep((name,), response(name), 0, 0)
    assert [hits.find((name,), 1) is not None for name in "ac"] == [True, True]

    hits.keep(("d",), response("d"), 0, 0)

    assert [hits.find((name,), 1) is not None for name in "abcd"] == [True, False, True, True]
    assert hits.bytes_held <= 3 * 2200
    hits.keep(("e",), response("e", 7000), 0, 0)
    assert hits.find(("e",), 1) is None
    hits.clear()
    assert (hits.bytes_held, hits.find(("a",), 1)) == (0, None)


def test_an_answer_ends_with_its_time_its_grant_and_its_asset():
    hits = HitCache(10**6, GRANTS.get)
    hits.keep(("k",), response("t", until=50), 0, 0)
    assert hits.find(("k",), 49.9) is not None
    assert hits.find(("k",), 50) is None

    hits.keep(("k",), response("t"), 0, hits.epoch("t"))
    GRANTS["t"] = object()
    assert hits.find(("k",), 1) is None

    before = hits.epoch("t")
    hits.drop("t")
    hits.keep(("k",), response("t"), 0, before)
    assert hits.find(("k",), 1) is None, "it was dropped while it was being made"


def test_only_negotiated_headers_are_part_of_the_key():
    environ = {"HTTP_ACCEPT": "image/webp", "HTTP_USER_AGENT": "x", "HTTP_SAVE_DATA": "on"}

    assert key_of("/a.jpg", environ) == ("/a.jpg",)
    assert key_of("/a.auto", environ) != key_of("/a.auto", environ | {"HTTP_SAVE_DATA": ""})
    assert key_of("/a.auto", environ) == key_of("/a.auto", environ | {"HTTP_USER_AGENT": "y"})


def test_threads_that_drop_and_keep_leave_a_sound_cache():
    hits = HitCache(20 * 2200, GRANTS.get)

    def work(number: int) -> None:
        for turn in range(300):
            name = f"n{(number * 7 + turn) % 40}"
            hits.keep((name,), response(name), 0, hits.epoch(name))
            hits.find((f"n{turn % 40}",), 1)
            if turn % 11 == 0:
                hits.drop(name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert hits.bytes_held <= 20 * 2200
    hits.clear()
    assert hits.bytes_held == 0


def test_a_hit_gives_the_same_answer_without_checking_the_signature_again(
    delivery, make_edge, master, monkeypatch
):
    asset = delivery.publish(delivery.version(master))
    get = make_edge()
    url = delivery.url(asset, "w_200", "auto")
    first = get(url, accept="image/webp")

    def explode(*args: object) -> None:
        raise AssertionError("the signature was computed again")

    monkeypatch.setattr("edge.pictures.verify_url", explode)
    second = get(url, accept="image/webp")

    assert second.body == first.body
    assert second.headers["Server-Timing"] == "cache;desc=memory"
    for name in ("ETag", "Content-Type", "Cache-Control", "Vary", "Surrogate-Key"):
        assert second.headers[name] == first.headers[name]
    assert int(second.headers["Content-Length"]) == len(first.body)
    tag = first.headers["ETag"]
    assert get(url, accept="image/webp", if_none_match=tag).status == 304
    part = get(url, accept="image/webp", range="bytes=5-9", if_range=tag)
    assert (part.status, part.body) == (206, first.body[5:10])
    assert get(url, accept="image/webp", range="bytes=5-9", if_range='"no"').status == 200
    head = get(url, "HEAD", accept="image/webp")
    assert (head.status, head.body) == (200, b"")
    assert get(url, query="a=1", accept="image/webp").status == 400
    assert get(url, "POST", accept="image/webp").status == 405
    monkeypatch.undo()
    assert get(url, accept="*/*").headers["Content-Type"] == "image/jpeg"


def test_hits_are_counted(delivery, get, master):
    url = delivery.url(delivery.publish(delivery.version(master)))
    size = len(get(url).body)
    for _ in range(3):
        get(url)

    lines = get("/metrics").body.decode().splitlines()

    assert 'imagepipe_edge_requests_total{cache="memory",reason="ok",status="200"} 3.0' in lines
    assert f'imagepipe_edge_sent_bytes_total{{format="jpg"}} {float(size * 4)}' in lines


def test_no_cache_outlives_the_rights(delivery, make_edge, master):
    now = int(time.time())
    moment = [now]
    get = make_edge(
        clock=lambda: moment[0],
        stale_while_revalidate="60",
        stale_if_error="120",
        immutable="yes",
    )
    free = delivery.publish(delivery.version(master))
    ending = delivery.publish(delivery.version(master, valid_until=now + 3650))

    assert get(delivery.url(free)).headers["Cache-Control"] == (
        "public, max-age=3600, s-maxage=3600, stale-while-revalidate=60, "
        "stale-if-error=120, immutable"
    )
    for _ in range(2):
        assert get(delivery.url(ending)).headers["Cache-Control"] == (
            "public, max-age=3600, s-maxage=3600, stale-while-revalidate=50, "
            "stale-if-error=50, immutable"
        )
    moment[0] = now + 3000
    assert get(delivery.url(ending)).headers["Cache-Control"] == (
        "public, max-age=650, s-maxage=650"
    )
    moment[0] = now + 3650
    assert get(delivery.url(ending)).status == 410


def test_lifetimes_add_up():
    assert Lifetime(10, 20, False, 5, 30).longest == 50
    assert str(Lifetime(10, 20).at_most(5)) == "public, max-age=5, s-maxage=5"


def test_other_settings_show_the_old_picture_while_the_new_one_is_made(
    delivery, make_edge, master
):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset, "w_300", "webp")
    old = make_edge(webp_effort="0")(url)
    get = make_edge(webp_effort="6")

    stale = get(url)

    assert stale.body == old.body
    assert stale.headers["Server-Timing"].startswith("cache;desc=stale")
    assert stale.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    end = time.monotonic() + 10
    while get(url).body == old.body:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert get(url).headers["Cache-Control"] == "public, max-age=3600, s-maxage=3600"


def test_an_old_picture_stands_in_when_the_new_one_cannot_be_made(delivery, make_edge, master):
    version = delivery.version(master)
    asset = delivery.publish(version)
    url = delivery.url(asset)
    get = make_edge()
    old = get(url)
    (delivery.storage / master_path(version.sha256)).unlink()
    delivery.publish(dataclasses.replace(version, credit={"title": "New"}), asset=asset)

    answer = get(url)

    assert (answer.status, answer.body) == (200, old.body)
    assert answer.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    assert get(delivery.url(asset, "w_99")).status == 503


def test_what_is_known_counts_while_the_storage_is_away_and_then_nothing_does(
    delivery, make_edge, master, monkeypatch
):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    get = make_edge(grace="30")
    assert get(url).status == 200
    source = get.app.book._source

    def away(name: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(source, "stamp", away)
    assert get(url).status == 200
    later = time.monotonic() + 31
    monkeypatch.setattr("edge.grants.time.monotonic", lambda: later)
    assert get(url).status == 503
    monkeypatch.undo()
    assert (delivery.storage / grant_path(asset)).exists()
    assert get(url).status == 200


@pytest.mark.parametrize("workers", ["4"])
def test_32_cold_requests_make_one_picture_with_four_workers(
    delivery, master, start_server, workers
):
    asset = delivery.publish(delivery.version(master))
    server = start_server(workers=workers, renderers="2")
    rounds = 4

    with ThreadPoolExecutor(32) as pool:
        for number in range(rounds):
            url = delivery.url(asset, f"w_{300 + number}")
            answers = list(pool.map(lambda _, url=url: server.get(url), range(32)))
            assert {answer.status for answer in answers} == {200}
            assert len({answer.body for answer in answers}) == 1

    text = server.get("/metrics").body.decode()
    (renders,) = [
        float(line.split()[1])
        for line in text.splitlines()
        if line.startswith('imagepipe_edge_renders_total{format="jpg"}')
    ]
    assert renders / rounds <= 1.1
