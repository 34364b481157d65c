"""The demonstration as people start it: web, worker and edge in processes of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST = 600
"""Seconds until it is up: it draws fifteen pictures on the processor."""
READY = "Ctrl-C stops everything."


@dataclass(frozen=True)
class Demonstration:
    url: str
    edge_url: str
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    pytest.importorskip("diffusers", reason="the extra “diffusers” is missing")
    folder = tmp_path_factory.mktemp("demonstration")
    port, edge_port = free_port(), free_port()
    command = ["manage.py", "demo", "--port", str(port), "--edge-port", str(edge_port)]
    log = folder / "demo.log"
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "website.settings.demo",
        "IMAGEPIPE_VAR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            wait_until_ready(process, log)
            yield Demonstration(
                f"http://127.0.0.1:{port}",
                f"http://127.0.0.1:{edge_port}",
                json.loads((folder / "log-ins.json").read_text()),
            )
        finally:
            process.terminate()
            process.wait(60)


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + LONGEST
    while READY not in log.read_text():
        ended = process.poll() is not None
        assert not ended and time.monotonic() < end, f"no demonstration:\n{log.read_text()}"
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
