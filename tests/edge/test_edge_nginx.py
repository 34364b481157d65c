"""Behind the committed nginx configuration: hits never reach Python, and go when they must."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagepipe.credentials import verify
from imagepipe.urlspec import Keyring
from tests.edge.nginx import Nginx


@pytest.fixture
def front(delivery, start_server, tmp_path) -> Iterator[Callable[..., Nginx]]:
    """Start an edge on a socket, with nginx before it."""
    started: list[Nginx] = []
    sockets = Path(os.environ.get("TMPDIR", "/tmp")) / f"edge-{os.getpid()}"
    sockets.mkdir(exist_ok=True)

    def start(**settings: str) -> Nginx:
        path = sockets / f"{len(started)}.sock"
        placed = delivery.cache / "placed"
        server = start_server(socket=str(path), placed=str(placed), **settings)
        until(lambda: (placed / "open").is_symlink())
        nginx = Nginx(tmp_path / f"nginx-{len(started)}", placed, path)
        nginx.edge = server  # type: ignore[attr-defined]
        started.append(nginx)
        return nginx

    yield start
    for nginx in started:
        nginx.stop()
    shutil.rmtree(sockets, ignore_errors=True)


def until(condition: Callable[[], bool], seconds: float = 15) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.02)
    return time.monotonic() - started


def placed(delivery, url: str) -> Path:
    return delivery.cache / "placed" / "pictures" / url[1:]


def beside(delivery, url: str) -> Path:
    return placed(delivery, f"{url}.c2pa")


def warm(nginx: Nginx, delivery, url: str) -> bytes:
    first = nginx.get(url)
    assert first.status == 200, first.body
    until(placed(delivery, url).is_file)
    return first.body


def test_a_hit_is_a_file_and_python_is_not_asked(delivery, master, front):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    nginx = front()
    body = warm(nginx, delivery, url)
    nginx.edge.process.send_signal(signal.SIGSTOP)
    try:
        answer = nginx.get(url)

        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Server-Timing"] == "cache;desc=nginx"
        assert answer.headers["Cache-Control"] == "public, max-age=3600, s-maxage=3600"
        assert answer.headers["Surrogate-Key"] == f"asset-{asset}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        head = nginx.get(url, "HEAD")
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(body)))
        tag = answer.headers["ETag"]
        assert nginx.get(url, If_None_Match=tag).status == 304
        part = nginx.get(url, Range="bytes=10-19", If_Range=tag)
        assert (part.status, part.body) == (206, body[10:20])
        assert nginx.get(url, Range="bytes=0-9", If_Range='"other"').status == 200
        assert nginx.get(url + "?a=1").status == 400
        assert nginx.get(url, "DELETE").status == 405
    finally:
        nginx.edge.process.send_signal(signal.SIGCONT)


def test_a_sidecar_is_announced_where_it_is_and_python_is_not_asked(delivery, master, front):
    asset = delivery.publish(delivery.version(master))
    root = (delivery.identities / "root.pem").read_bytes()
    nginx = front()
    for extension, kind in (("avif", "image/avif"), ("jpg", "image/jpeg")):
        url = delivery.url(asset, "w_200", extension)
        first = nginx.get(url)
        until(placed(delivery, url).is_file)
        nginx.edge.process.send_signal(signal.SIGSTOP)
        try:
            answer = nginx.get(url)
            where = answer.sidecar_of(url)
            sidecar = nginx.get(where)

            assert answer.headers["Server-Timing"] == "cache;desc=nginx"
            assert answer.headers["Link"] == first.headers["Link"]
            assert answer.headers["Access-Control-Expose-Headers"] == "Link"
            assert "Last-Modified" not in answer.headers
            assert nginx.get(url, If_None_Match=answer.headers["ETag"]).status == 304
            assert nginx.get(url, Range="bytes=1-2").headers["Link"] == answer.headers["Link"]
            assert sidecar.status == 200
            assert sidecar.headers["Server-Timing"] == "cache;desc=nginx"
            assert sidecar.headers["Content-Type"] == "application/c2pa"
            assert sidecar.headers["Access-Control-Allow-Origin"] == "*"
            assert sidecar.headers["Surrogate-Key"] == f"asset-{asset}"
            assert nginx.get(where, "HEAD").headers["Content-Length"] == str(len(sidecar.body))
            report = verify(answer.body, kind, root, sidecar=sidecar.body)
            assert (report.state, len(report.chain)) == ("trusted", 2)
        finally:
            nginx.edge.process.send_signal(signal.SIGCONT)
        assert nginx.get(f"{url}.c2pa/40000000-1").status == 404
        assert nginx.get(f"{url}.c2pa/").status in (403, 404)


def test_an_embedded_credential_has_no_sidecar(delivery, master, front):
    url = delivery.url(delivery.publish(delivery.version(master)))
    nginx = front(embed_from="0")
    warm(nginx, delivery, url)

    assert "Link" not in nginx.get(url).headers
    assert not beside(delivery, url).exists()


def test_only_what_everybody_may_see_is_placed(delivery, master, front):
    version = delivery.version(master)
    limited = delivery.publish(delivery.version(master, markets=("DE",)))
    ending = delivery.publish(delivery.version(master, valid_until=int(time.time()) + 3700))
    plain = delivery.publish(version)
    nginx = front(market_header="X-Market")
    preview = delivery.url(plain, "w_100", expires=int(time.time()) + 600)
    automatic = delivery.url(plain, "w_101", "auto")
    marker = delivery.url(plain, "w_102")

    assert nginx.get(delivery.url(limited)).status == 451
    assert nginx.get(delivery.url(limited), X_Market="DE").status == 451
    for url in (preview, automatic, delivery.url(ending)):
        assert nginx.get(url).status == 200
    warm(nginx, delivery, marker)

    files = [path for path in (delivery.cache / "placed/pictures").rglob("*") if path.is_file()]
    assert sorted(files) == [placed(delivery, marker), *beside(delivery, marker).iterdir()]


def test_a_withdrawn_picture_is_gone_within_the_beat(delivery, master, front):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    nginx = front(workers="2")
    warm(nginx, delivery, url)
    where = nginx.get(url).sidecar_of(url)
    assert nginx.get(where).headers["Server-Timing"] == "cache;desc=nginx"

    delivery.change(asset, state="withdrawn")

    assert until(lambda: nginx.get(url).status == 410 == nginx.get(where).status) < 2
    assert json.loads(nginx.get(url).body)["reason"] == "withdrawn"
    assert not placed(delivery, url).exists()
    assert not beside(delivery, url).exists()
    assert nginx.get(url, If_None_Match="*").status == 410


def test_a_market_set_later_takes_the_picture_back(delivery, master, front):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    nginx = front()
    warm(nginx, delivery, url)

    delivery.change(asset, markets=("FR",))

    assert until(lambda: nginx.get(url).status == 451) < 2
    time.sleep(0.3)
    assert not placed(delivery, url).exists()


def test_a_revoked_key_takes_its_folder_with_it_on_reload(delivery, master, front):
    asset = delivery.publish(delivery.version(master))
    old = delivery.url(asset)
    nginx = front()
    warm(nginx, delivery, old)
    sidecar = nginx.get(old).sidecar_of(old)
    assert nginx.get(sidecar).status == 200
    file = delivery.keys / "url-keys.json"

    file.write_text("{broken")
    nginx.edge.process.send_signal(signal.SIGHUP)
    until(lambda: "not reloaded" in nginx.edge.log.read_text())
    assert nginx.get(old).status == 200

    rotated = delivery.keyring.rotated("k2")
    document = json.loads(rotated.to_json())
    del document["keys"]["k1"]
    delivery.keyring = Keyring.from_json(json.dumps(document))
    file.write_text(delivery.keyring.to_json())
    nginx.edge.process.send_signal(signal.SIGHUP)

    until(lambda: nginx.get(delivery.url(asset)).status == 200)
    until(lambda: nginx.get(old).status == 403 == nginx.get(sidecar).status)
    assert not (delivery.cache / "placed/pictures/k1").exists()
    warm(nginx, delivery, delivery.url(asset))


def test_what_changed_while_the_edge_was_down_is_not_served(delivery, master, front):
    stays = delivery.publish(delivery.version(master))
    goes = delivery.publish(delivery.version(master))
    nginx = front()
    urls = [delivery.url(asset) for asset in (stays, goes)]
    for url in urls:
        warm(nginx, delivery, url)

    assert nginx.edge.stop() == 0
    assert [nginx.get(url).status for url in urls] == [502, 502]
    delivery.change(goes, state="withdrawn")

    again = front()
    assert [again.get(url).status for url in urls] == [200, 410]
    assert again.get(urls[0]).headers["Server-Timing"] == "cache;desc=nginx"


def test_placed_bytes_are_the_bytes_that_python_answers(delivery, master, front):
    asset = delivery.publish(delivery.version(master))
    nginx = front()
    for extension in ("avif", "webp", "jpg", "png", "gif"):
        url = delivery.url(asset, "w_200", extension)
        first = nginx.get(url)
        until(placed(delivery, url).is_file)
        again = nginx.get(url)

        assert again.headers["Server-Timing"] == "cache;desc=nginx"
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
        assert hashlib.sha256(again.body).digest() == hashlib.sha256(first.body).digest()
