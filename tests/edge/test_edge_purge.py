"""Purges: authenticated, idempotent, and known to every process."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request

import pytest

from edge.exceptions import BadRequest
from edge.purging import PurgeJournal, read_order
from imagepipe.grants import master_path
from imagepipe.grants.orders import (
    PurgeOrder,
    is_ordered,
    load_secret,
    sign_order,
)

SECRET = b"a shared secret of 32 characters"


@pytest.fixture
def key(delivery) -> str:
    path = delivery.keys / "purge-key"
    path.write_bytes(SECRET + b"\n")
    assert load_secret(path) == SECRET
    return str(path)


def ask(app, method: str, path: str, body: bytes, authorization: str, **headers: str):
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "HTTP_AUTHORIZATION": authorization,
    } | {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    seen: list = []
    answer = b"".join(app(environ, lambda *args: seen.extend(args)))
    return int(seen[0].split()[0]), json.loads(answer)


def purge(app, order: PurgeOrder):
    body = order.to_json()
    proof = sign_order(SECRET, "POST", "/_purge", body, int(time.time()))
    return ask(app, "POST", "/_purge", body, proof)


def where(get, url: str) -> str:
    return get(url).headers["Server-Timing"].partition("=")[2].partition(",")[0]


@pytest.mark.parametrize("by", ["asset", "version", "tag", "asset-tag", "all"])
def test_every_way_to_purge(delivery, make_edge, master, key, by):
    version = delivery.version(master)
    asset = delivery.publish(version)
    other = delivery.publish(version, tags=("collection-2",))
    get = make_edge(purge_key=key)
    url, kept = delivery.url(asset), delivery.url(other)
    for one in (url, url, kept, kept):
        get(one)
    assert (where(get, url), where(get, kept)) == ("memory", "memory")
    order = {
        "asset": PurgeOrder(assets=(asset,)),
        "version": PurgeOrder(versions=(f"{asset}.{version.sha256[:16]}",)),
        "tag": PurgeOrder(tags=("collection-1",)),
        "asset-tag": PurgeOrder(tags=(f"asset-{asset}",)),
        "all": PurgeOrder(everything=True),
    }[by]

    for _ in range(2):
        status, told = purge(get.app, order)
        assert (status, told["status"]) == (200, "purged")

    assert where(get, kept) == ("made" if by == "all" else "memory")
    assert where(get, url) == "made"


def test_another_version_stays_on_disk(delivery, make_edge, master, key):
    version = delivery.version(master)
    asset = delivery.publish(version)
    get = make_edge(purge_key=key)
    url = delivery.url(asset)
    get(url)

    purge(get.app, PurgeOrder(versions=(f"{asset}.{'0' * 16}",)))

    assert where(get, url) == "disk"


@pytest.mark.parametrize(
    "spoil", ["none", "secret", "old", "future", "path", "body", "scheme", "huge-time"]
)
def test_without_a_proof_nothing_is_purged(delivery, make_edge, master, key, spoil):
    get = make_edge(purge_key=key)
    url = delivery.url(delivery.publish(delivery.version(master)))
    get(url)
    body = PurgeOrder(everything=True).to_json()
    now = int(time.time())
    moment = {"old": now - 301, "future": now + 301, "huge-time": 10**12 - 1}.get(spoil, now)
    secret = b"another secret, long enough" if spoil == "secret" else SECRET
    path = "/_explain/x" if spoil == "path" else "/_purge"
    proof = sign_order(secret, "POST", path, body + b" " * (spoil == "body"), moment)
    if spoil == "none":
        proof = ""
    if spoil == "scheme":
        proof = proof.replace("Imagepipe", "Bearer")

    status, told = ask(get.app, "POST", "/_purge", body, proof)

    assert (status, told["reason"]) == (401, "not-ordered")
    assert where(get, url) == "memory"
    assert not is_ordered(SECRET, "POST", "/_purge", body, now, "")


def test_an_edge_without_a_secret_takes_no_orders(delivery, get):
    body = PurgeOrder(everything=True).to_json()
    proof = sign_order(b"", "POST", "/_purge", body, int(time.time()))

    assert ask(get.app, "POST", "/_purge", body, proof)[0] == 405
    assert ask(get.app, "GET", "/_purge", b"", proof)[0] == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"[" * 100_000, b'{"kind":"purge"}', b"\xff",
     PurgeOrder(assets=("../x",)).to_json(), PurgeOrder(versions=("a",)).to_json(),
     PurgeOrder(tags=("a b",)).to_json(), PurgeOrder(tags=("a",) * 1001).to_json()],
)  # fmt: skip
def test_orders_of_another_form_are_refused(delivery, make_edge, key, body):
    get = make_edge(purge_key=key)
    proof = sign_order(SECRET, "POST", "/_purge", body, int(time.time()))

    status, told = ask(get.app, "POST", "/_purge", body, proof)

    assert (status, told["reason"]) == (400, "order")
    with pytest.raises(BadRequest):
        read_order(body)


def test_a_journal_reaches_other_processes_and_begins_anew(tmp_path, monkeypatch):
    done: list[PurgeOrder] = []
    path = tmp_path / "purges.jsonl"
    PurgeJournal(path, done.append).add(PurgeOrder(everything=True))
    reader = PurgeJournal(path, done.append)
    writer = PurgeJournal(path, lambda order: None)
    orders = [PurgeOrder(assets=(f"{n:032x}",)) for n in range(5)]

    assert reader.follow() == 0
    writer.add(orders[0])
    writer.add(orders[1])
    assert (reader.follow(), reader.follow()) == (2, 0)
    monkeypatch.setattr("edge.purging._LARGEST", 10)
    writer.add(orders[2])
    assert reader.follow() == 1
    assert path.stat().st_size < 200
    assert done == orders[:3]


def test_a_push_reaches_every_worker_within_a_second(delivery, master, start_server, key):
    version = delivery.version(master)
    asset = delivery.publish(version)
    server = start_server(workers="2", purge_key=key, poll="5", access_log="all")
    url = delivery.url(asset)
    for _ in range(40):
        assert server.get(url).status == 200
    (delivery.storage / master_path(version.sha256)).unlink()
    order = PurgeOrder(assets=(asset,)).to_json()

    def post() -> int:
        proof = sign_order(SECRET, "POST", "/_purge", order, int(time.time()))
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/_purge", order, {"Authorization": proof}
        )
        return urllib.request.urlopen(request, timeout=10).status

    assert post() == 200
    time.sleep(0.9)

    assert {server.get(url).status for _ in range(40)} == {503}
    pids = {line for line in server.log.read_text().splitlines() if "_purge" in line}
    assert not pids, "the log names no address"


def test_an_address_is_explained_to_who_may_ask(delivery, make_edge, master, key):
    version = delivery.version(master, focal=(0.25, 0.5))
    asset = delivery.publish(version)
    get = make_edge(purge_key=key)
    url = delivery.url(asset, "w_300,h_100,c_fill,q_60", "auto")
    path = f"/_explain{url}"
    proof = sign_order(SECRET, "GET", path, b"", int(time.time()))

    status, told = ask(get.app, "GET", path, b"", proof, accept="image/webp")

    assert status == 200
    assert (told["status"], told["reason"], told["format"]) == (200, "ok", "webp")
    assert (told["quality"], told["cached"], told["shown_asset"]) == (60, "none", asset)
    assert "Accept" in told["why_this_format"]
    assert told["master"]["focal"] == [0.25, 0.5]
    assert told["crop_box"]["width"] == 300
    assert (told["plan"]["width"], told["plan"]["height"]) == (300, 100)
    assert told["credential"] is None
    picture = get(url, accept="image/webp")
    told = ask(get.app, "GET", path, b"", proof, accept="image/webp")[1]
    assert told["cached"] != "none"
    assert told["credential"]["place"] == "sidecar"
    assert told["credential"]["picture_bytes"] == len(picture.body)
    assert told["credential"]["bytes"] == len(get(picture.sidecar_of(url)).body)
    assert told["credential"]["pair"] in picture.headers["Link"]
    assert ask(get.app, "GET", path, b"", "")[0] == 401
    delivery.change(asset, state="withdrawn")
    told = ask(get.app, "GET", path, b"", proof)[1]
    assert (told["status"], told["reason"]) == (410, "withdrawn")


@pytest.mark.parametrize(
    ("settings", "place"), [({"embed_from": "0"}, "embedded"), ({"identity": ""}, "none")]
)
def test_an_explanation_tells_where_the_credential_is(
    delivery, make_edge, master, key, settings, place
):
    url = delivery.url(delivery.publish(delivery.version(master)), "w_100", "avif")
    get = make_edge(purge_key=key, **settings)
    size = len(get(url).body)
    path = f"/_explain{url}"
    proof = sign_order(SECRET, "GET", path, b"", int(time.time()))

    told = ask(get.app, "GET", path, b"", proof)[1]

    assert told["credential"] == {"place": place, "picture_bytes": size}
