"""The whole thing over real HTTP, in a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagepipe.credentials import parse_xmp, read_xmp, verify

PROJECT = Path(__file__).parents[2]
#: What the pixels of a format start after.
PIXELS = {"image/avif": b"mdat", "image/webp": b"VP8 ", "image/jpeg": b"\xff\xda"}
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def test_formats_follow_accept_and_every_picture_is_marked(delivery, master, start_server):
    asset = delivery.publish(delivery.version(master))
    server = start_server(embed_from="0")
    root = (delivery.identities / "root.pem").read_bytes()
    url = delivery.url(asset, "w_300,h_200,c_fill", "auto")
    formats = {"image/avif": "AVIF", "image/webp": "WEBP", "*/*": "JPEG"}

    for accept in formats:
        answer = server.get(url, Accept=accept)

        mime = answer.headers["Content-Type"]
        assert answer.status == 200
        assert mime == ("image/jpeg" if accept == "*/*" else accept)
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        assert (answer.image.size, answer.image.format) == ((300, 200), formats[accept])
        report = verify(answer.body, mime, root)
        assert report.state == "trusted"
        assert report.source_type == TRAINED
        assert len(report.chain) == 2
        metadata = parse_xmp(read_xmp(answer.body, mime))
        assert (metadata.source_type, metadata.alt) == (TRAINED, "Boats at night")
        damaged = bytearray(answer.body)
        damaged[answer.body.index(PIXELS[mime]) + 100] ^= 1
        assert verify(bytes(damaged), mime, root).state == "invalid"


def test_head_and_conditional_requests_over_http(delivery, master, start_server):
    asset = delivery.publish(delivery.version(master))
    server = start_server()
    url = delivery.url(asset)
    whole = server.get(url)

    head = server.get(url, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.body))
    unchanged = server.get(url, If_None_Match=whole.headers["ETag"])
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert server.get(url, Range="bytes=0-9").body == whole.body[:10]
    assert server.get(url + "?a=1").status == 400
    assert server.get(url.replace("w_320", "w_320%2F..")).status in (403, 404)


def test_identical_cold_requests_are_rendered_once_across_processes(
    delivery, master, start_server
):
    asset = delivery.publish(delivery.version(master))
    server = start_server(workers="2")
    url = delivery.url(asset, "w_400", "webp")

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: server.get(url), range(32)))

    assert Counter(answer.status for answer in answers) == {200: 32}
    assert len({answer.body for answer in answers}) == 1
    assert len({answer.headers["ETag"] for answer in answers}) == 1
    metrics = server.get("/metrics").body.decode()
    assert re.findall(r'imagepipe_edge_renders_total{format="webp"} (\S+)', metrics) == ["1.0"]


def test_a_withdrawal_is_seen_within_the_beat_and_a_restored_backup_changes_nothing(
    delivery, master, start_server
):
    asset = delivery.publish(delivery.version(master))
    url = delivery.url(asset)
    old = delivery.grants[asset]
    server = start_server()
    assert server.get(url).status == 200

    delivery.change(asset, state="withdrawn")
    started = time.monotonic()
    while server.get(url).status != 410:
        assert time.monotonic() - started < 1
    assert json.loads(server.get(url).body)["reason"] == "withdrawn"

    delivery.write_grant(old)
    assert server.get(url).status == 503
    server.stop()
    assert start_server().get(url).status == 503


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(delivery, start_server, number):
    server = start_server()

    assert server.stop(number) == 0
    assert "Traceback" not in server.log.read_text()


def test_logs_are_json_and_hold_no_signature(delivery, master, start_server):
    asset = delivery.publish(delivery.version(master))
    server = start_server()
    url = delivery.url(asset)
    server.get(url)
    server.stop()

    text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    access = [line for line in lines if line["logger"] == "edge.access"]
    assert [line["status"] for line in access] == [200]
    assert access[0]["asset"] == asset
    assert url.split("/")[2] not in text


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin"} | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_help_names_every_variable(delivery):
    from edge.config import describe

    result = run({}, "--help")

    assert result.returncode == 0
    assert describe() in result.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"IMAGEPIPE_EDGE_STORAGE": ""}, "IMAGEPIPE_EDGE_STORAGE is not set"),
        ({"IMAGEPIPE_EDGE_STORAGE": "/nowhere"}, "IMAGEPIPE_EDGE_STORAGE: /nowhere is not"),
        ({"IMAGEPIPE_EDGE_PORT": "http"}, "IMAGEPIPE_EDGE_PORT must be a whole number"),
        ({"IMAGEPIPE_EDGE_POLL": "6"}, "IMAGEPIPE_EDGE_POLL must be 0.05 to 5 seconds"),
        ({"IMAGEPIPE_EDGE_STORRAGE": "x"}, "IMAGEPIPE_EDGE_STORRAGE is not a setting"),
        ({"IMAGEPIPE_EDGE_URL_KEYS": "/dev/null"}, "IMAGEPIPE_EDGE_URL_KEYS"),
        ({"IMAGEPIPE_EDGE_CACHE": "/proc/cache"}, "IMAGEPIPE_EDGE_CACHE"),
        ({"IMAGEPIPE_EDGE_IDENTITY": "/proc"}, "IMAGEPIPE_EDGE_IDENTITY"),
    ],
)
def test_a_bad_configuration_names_the_variable(delivery, change, message):
    result = run(delivery.environ | change, "--check")

    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_good_configuration_passes_the_check(delivery):
    pages = {"IMAGEPIPE_EDGE_URL": "https://img.example"}

    assert run(delivery.environ | pages, "--check").returncode == 0


def test_no_django_is_imported(delivery):
    code = (
        "import sys, os; import edge.app; app = edge.app.create_app(); app.close(); "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'wagtail', 'torch')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={"PATH": "/usr/bin"} | delivery.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.stdout.strip() == "[]", result.stderr
