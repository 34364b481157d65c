"""Delivery storages behind a network, and what must never be reached through one."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from edge import origin as origin_module
from edge.addresses import is_public
from edge.origin import Origin, OriginRefused, fetch
from edge.remote import RemoteSource
from edge.sources import FolderSource
from imagepipe.grants import master_path
from tests.edge.storage_proofs import (
    ACCOUNT,
    ACCOUNT_KEY,
    KEY_ID,
    ROBOT,
    SECRET_KEY,
    GoogleProof,
    azure,
    s3,
)
from tests.edge.storage_servers import FolderServer, serve


@pytest.fixture
def origin_server(delivery) -> Iterator[FolderServer]:
    with serve(delivery.storage, "delivery") as server:
        yield server


@pytest.fixture
def bucket(delivery, monkeypatch) -> Iterator[FolderServer]:
    with serve(delivery.storage, "bucket/delivery", s3) as server:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        yield server


def new_key() -> tuple[rsa.RSAPublicKey, str]:
    """A key of a service account: its public half, and PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key.public_key(), pem.decode()


@pytest.fixture
def google(delivery, monkeypatch) -> Iterator[FolderServer]:
    public, private = new_key()
    with serve(delivery.storage, "bucket/delivery", GoogleProof(public)) as server:
        account = {
            "type": "service_account",
            "client_email": ROBOT,
            "private_key_id": "1",
            "private_key": private,
            "gcs_base_url": server.url,
        }
        file = delivery.root / "account.json"
        file.write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(file))
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        yield server


@pytest.fixture
def container(delivery, monkeypatch) -> Iterator[FolderServer]:
    with serve(delivery.storage, "container/delivery", azure) as server:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY)
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", server.url)
        monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
        yield server


STORES = {
    "s3": ("bucket", "s3://bucket/delivery"),
    "google": ("google", "gs://bucket/delivery"),
    "azure": ("container", "az://container/delivery"),
}


@pytest.fixture(params=["http", *STORES])
def remote(request, delivery, make_edge) -> tuple[Any, FolderServer]:
    """An edge that reads the same delivery folder over the network."""
    if request.param == "http":
        server = request.getfixturevalue("origin_server")
        settings = {"storage": f"{server.url}/delivery", "origin_private": "yes"}
    else:
        fixture, storage = STORES[request.param]
        server, settings = request.getfixturevalue(fixture), {"storage": storage}
    return make_edge(**settings, poll="0.2", origin_timeout="1"), server


def reason(answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["reason"]


def until(condition, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_remote_storage_is_read_like_a_folder(remote, delivery, master, make_edge):
    get, server = remote
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)

    answer = get(url)
    assert answer.status == 200
    assert answer.body == make_edge()(url).body
    for _ in range(50):
        assert get(url).status == 200
    assert get("/readyz").status == 200
    masters = [line for line in server.asked if "masters/" in line and line[:3] == "GET"]
    assert len(masters) == 1
    delivery.change(asset, state="withdrawn")
    until(lambda: get(url).status == 410, 1)
    missing = delivery.publish(delivery.version(master))
    (delivery.storage / master_path(delivery.grants[missing].versions[0].sha256)).unlink()
    assert reason(get(delivery.url(missing, "w_77"))) == (503, "source-missing")


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_refuses_the_key_shows_nothing(
    request, delivery, make_edge, master, monkeypatch, store
):
    fixture, storage = STORES[store]
    request.getfixturevalue(fixture)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "YW5vdGhlcg==")
    file = delivery.root / "account.json"
    if store == "google":
        account = json.loads(file.read_text()) | {"private_key": new_key()[1]}
        file.write_text(json.dumps(account))
    get = make_edge(storage=storage, poll="0.2", origin_timeout="1")
    asset = delivery.publish(delivery.version(master))
    assert reason(get(delivery.url(asset))) == (503, "grant-unreadable")
    assert get("/readyz").status == 503


def test_a_damaged_master_and_a_cut_answer_give_no_picture(remote, delivery, master):
    get, server = remote
    version = delivery.version(master)
    url = delivery.url(delivery.publish(version), "w_50")
    get(url.replace(url.split("/")[2], "x" * 43))
    assert get(url).status == 200
    server.fault = "cut"
    get.app.hits.clear()
    assert get(delivery.url(next(iter(delivery.grants)), "w_51")).status in (502, 503)
    server.fault = ""
    delivery.write(master_path(version.sha256), b"x" * len(master))
    get.app.book._source._verified.clear()
    assert reason(get(delivery.url(next(iter(delivery.grants)), "w_52"))) == (
        502,
        "source-damaged",
    )


def test_a_storage_that_is_down_or_slow(remote, delivery, master):
    get, server = remote
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    assert get(url).status == 200

    for fault in ("down", "hang"):
        server.fault = fault
        time.sleep(0.25)
        assert get(url).status == 200, "what is known counts for the grace"
        started = time.monotonic()
        assert get(delivery.url(asset, "w_200")).status in (502, 503)
        assert time.monotonic() - started < 8
    until(lambda: get("/readyz").status == 503)
    server.fault = ""
    until(lambda: get("/readyz").status == 200)
    assert get(delivery.url(asset, "w_200")).status == 200


def test_names_that_lead_elsewhere_are_refused(tmp_path, delivery):
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir-secret").mkdir()
    (tmp_path / "dir-secret" / "file").write_text("secret")

    class Remote(RemoteSource):
        def _head(self, name):
            raise AssertionError(name)

        def _get(self, name, limit):
            raise AssertionError(name)

    for source in (FolderSource(tmp_path / "dir", 100), Remote(100, 1)):
        for name in ("../dir-secret/file", "/etc/passwd", "a//b", "..", ".x", "a/./b", "a\\b",
                     "A", "a\0b", "a%2e", "-secret/file", "a" * 100, ""):  # fmt: skip
            with pytest.raises(ValueError, match="not one of"):
                source.read(name)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "100.127.255.255", "0.0.0.0", "255.255.255.255", "224.0.0.1", "198.18.0.1", "192.0.0.192",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1",
     "::ffff:0:7f00:1", "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::7f00:1",
     "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:0:7f00:1::1", "2001:db8::1",
     "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1", "3fff::1", "x", "", "1.2.3",
     "0177.0.0.1", "2130706433"],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2a00:1450:4001:80e::200e", "::ffff:8.8.8.8"]
)
def test_public_addresses(address):
    assert is_public(address)


def test_a_private_storage_needs_to_be_allowed(origin_server, make_edge, delivery, master):
    get = make_edge(storage=f"{origin_server.url}/delivery", poll="0.2")
    url = delivery.url(delivery.publish(delivery.version(master)))

    assert get(url).status == 503
    assert get("/readyz").status == 503
    assert origin_server.asked == []


def ask(url: str, origin: Origin, limit: int = 1000, timeout: float = 2) -> Any:
    return fetch("GET", url, origin, limit=limit, timeout=timeout)


@pytest.mark.parametrize(
    "url",
    ["http://other.example/x", "file:///etc/passwd", "gopher://{0}/x", "http://user@{0}/x",
     "http://{0}@evil.example/", "http://evil.example#@{0}/", "http://{0}\\@evil.example/",
     "http://{0}/a\r\nX: y", "http://{0}/a b", "ftp://{0}/x", "//{0}/x", "http://[::1]/x"],
)  # fmt: skip
def test_only_allowed_hosts_are_asked(origin_server, url):
    host = f"127.0.0.1:{origin_server.server_port}"
    allowed = Origin.of(f"http://{host}/", private=True)

    with pytest.raises(OriginRefused):
        ask(url.format(host), allowed)
    assert origin_server.asked == []


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data", "http://evil.example/", "file:///etc/passwd",
     "//evil.example/x", "http://127.0.0.1:1/", "http://[::ffff:7f00:1]/"],
)  # fmt: skip
def test_redirects_are_checked_again(origin_server, target):
    origin_server.fault = f"redirect {target}"

    with pytest.raises(OriginRefused):
        ask(f"{origin_server.url}/x", Origin.of(origin_server.url, private=True))
    assert len(origin_server.asked) == 1


def test_a_redirect_to_an_allowed_host_is_followed_a_few_times(origin_server, delivery):
    delivery.write("feed/00.json", b"hello")
    with serve(delivery.storage, "delivery") as other:
        netloc = f"127.0.0.1:{other.server_port}"
        origin_server.fault = f"redirect {other.url}/delivery/feed/00.json"
        allowed = Origin.of(origin_server.url, (netloc,), True)
        assert ask(f"{origin_server.url}/x", allowed).body == b"hello"
    origin_server.fault = "redirect /again"
    with pytest.raises(OriginRefused, match="too many"):
        ask(f"{origin_server.url}/x", Origin.of(origin_server.url, private=True))


def test_a_name_that_changes_its_mind_changes_nothing(origin_server, monkeypatch, delivery):
    """DNS rebinding: public when checked, private when connected."""
    answers = ["8.8.8.8", "127.0.0.1"]
    connected: list[str] = []

    def resolve(host, port, **options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    def connect(address, timeout):
        connected.append(address[0])
        raise OSError("not from here")

    monkeypatch.setattr(origin_module.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(origin_module.socket, "create_connection", connect)
    with pytest.raises(OSError, match="not from here"):
        ask("http://rebind.example/x", Origin.of("http://rebind.example/"))
    assert connected == ["8.8.8.8"]

    answers[:] = ["127.0.0.1"]
    with pytest.raises(OriginRefused):
        ask("http://rebind.example/x", Origin.of("http://rebind.example/"))
    assert connected == ["8.8.8.8"]


def test_one_private_address_among_public_ones_is_enough(monkeypatch):
    def resolve(host, port, **options):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("8.8.8.8", "10.0.0.1")
        ]

    monkeypatch.setattr(origin_module.socket, "getaddrinfo", resolve)
    with pytest.raises(OriginRefused):
        ask("http://mixed.example/x", Origin.of("http://mixed.example/"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [("endless", ValueError), ("drops", OSError), ("hang", OSError), ("gzip", OSError),
     ("cut", OSError)],
)  # fmt: skip
def test_answers_are_bounded_in_size_and_time(origin_server, delivery, fault, error):
    delivery.write("feed/00.json", b"x" * 500)
    origin_server.fault = fault
    started = time.monotonic()

    with pytest.raises(error):
        ask(
            f"{origin_server.url}/delivery/feed/00.json",
            Origin.of(origin_server.url, private=True),
            timeout=0.5,
        )
    assert time.monotonic() - started < 2


def test_a_polyglot_leaves_nothing_of_its_other_half(delivery, get, master):
    evil = b"<script>alert(1)</script><?php system($_GET[0]); ?>"
    asset = delivery.publish(delivery.version(master + evil, parent=False))

    for extension in ("jpg", "webp", "png", "avif"):
        answer = get(delivery.url(asset, "w_60", extension))
        assert answer.status == 200
        assert b"<script>alert" not in answer.body
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize(
    "header",
    ["cookie", "authorization", "host", "x_forwarded_host", "x_original_url", "x_rewrite_url"],
)
def test_what_visitors_send_beside_the_address_changes_no_cached_answer(
    delivery, get, master, header
):
    """Cache-key confusion: nothing but the address and negotiated headers counts."""
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset, "w_90")
    first = get(url, **{header: "/evil"})

    second = get(url, **{header: "other"})

    assert (first.status, second.body) == (200, first.body)
    assert get.app.hits.bytes_held < 2 * (len(first.body) + 3000)
