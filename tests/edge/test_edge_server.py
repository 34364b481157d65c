"""The real server: a process of its own, over HTTP."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config import Config, InvalidConfiguration

REPOSITORY = Path(__file__).resolve().parents[2]
WITHOUT_DJANGO = (
    "import sys; sys.modules['django'] = None; sys.argv = ['edge'];"
    "import runpy; runpy.run_module('edge', run_name='__main__')"
)


def environment(publisher, port: int) -> dict[str, str]:
    config = publisher.config()
    return os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "IMAGEPIPE_EDGE_STORAGE": str(config.storage),
        "IMAGEPIPE_EDGE_CACHE": str(config.cache),
        "IMAGEPIPE_EDGE_URL_KEYS": str(config.url_keys),
        "IMAGEPIPE_EDGE_GRANT_KEYS": str(config.grant_keys),
        "IMAGEPIPE_EDGE_IDENTITY": str(config.identity),
        "IMAGEPIPE_EDGE_PORT": str(port),
        "IMAGEPIPE_EDGE_POLL": "0.2",
    }


def get(port: int, url: str, method: str = "GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, url, headers={"Accept": "image/webp"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def eventually(check, seconds: float = 20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if check():
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail("it did not happen in time")


def test_server(publisher, version, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "log.txt").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_DJANGO],
        env=environment(publisher, port),
        stdout=log,
        stderr=log,
        cwd=tmp_path,
    )
    try:
        eventually(lambda: get(port, "/readyz")[0] == 200)
        url = publisher.url(version)
        status, headers, body = get(port, url)
        lower = {name.lower(): value for name, value in headers.items()}
        assert (status, lower["content-type"]) == (200, "image/webp")
        assert int(lower["content-length"]) == len(body)
        status, headers, nothing = get(port, url, "HEAD")
        assert (status, nothing) == (200, b"")
        assert {n.lower(): v for n, v in headers.items()}["content-length"] == str(len(body))
        assert b"imagepipe_edge_renders_total" in get(port, "/metrics")[2]
        publisher.publish(replace(version, state="withdrawn"), sequence=2)
        eventually(lambda: get(port, url)[0] == 410, 10)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
        log.seek(0)
        text = log.read()
        log.close()
    assert "Traceback" not in text


def test_a_wrong_configuration_is_said_plainly(publisher):
    wrong = environment(publisher, 1) | {"IMAGEPIPE_EDGE_STORAGE": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-m", "edge"], env=wrong, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "The edge cannot start: IMAGEPIPE_EDGE_STORAGE: /nowhere is not a folder\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("PORT", "0"), ("POLL", "0"), ("MAX_AGE", "-1"), ("MARKET_HEADER", "a b")],
)
def test_wrong_values(publisher, name, value):
    values = environment(publisher, 8000) | {f"IMAGEPIPE_EDGE_{name}": value}
    with pytest.raises(InvalidConfiguration, match=f"IMAGEPIPE_EDGE_{name}"):
        Config.from_environment(values)
