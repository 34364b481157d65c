"""The demonstration as people start it: web, worker and edge in processes of their own.

One for all processes of a run of the tests; the last thing of the run is to stop it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import shared

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST = 600
"""Seconds until it is up: it draws fifteen pictures on the processor."""
FACTS, LOG = "demonstration.json", "demo.log"
READY = "Ctrl-C stops everything."


@dataclass(frozen=True)
class Demonstration:
    url: str
    edge_url: str
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def demonstration() -> Demonstration:
    pytest.importorskip("diffusers", reason="the extra “diffusers” is missing")
    with shared.turn("demonstration") as folder:
        facts = folder / FACTS
        if not facts.exists():
            facts.write_text(json.dumps(start(folder)))
        known = json.loads(facts.read_text())
    return Demonstration(known["url"], known["edge_url"], known["passwords"])


def start(folder: Path) -> dict[str, Any]:
    """Start it and wait until it is up; returns its addresses, passwords and process."""
    port, edge_port = free_port(), free_port()
    command = ["manage.py", "demo", "--port", str(port), "--edge-port", str(edge_port)]
    log, var = folder / LOG, folder / "var"
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "website.settings.demo",
        "IMAGEPIPE_VAR": str(var),
        "PYTHONUNBUFFERED": "1",
        "IMAGEPIPE_EDGE_DEADLINE": "60",  # other tests want the processors too
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_ready(process, log)
    except BaseException:
        process.terminate()
        process.wait(60)
        raise
    return {
        "url": f"http://127.0.0.1:{port}",
        "edge_url": f"http://127.0.0.1:{edge_port}",
        "passwords": json.loads((var / "log-ins.json").read_text()),
        "pid": process.pid,
    }


def stop() -> None:
    """Stop the demonstration of this run of the tests, if one was started."""
    folder = shared.folder() / "demonstration"
    if not (folder / FACTS).exists():
        return
    os.kill(json.loads((folder / FACTS).read_text())["pid"], signal.SIGTERM)
    end = time.monotonic() + 60
    while "\nStopped (" not in (folder / LOG).read_text() and time.monotonic() < end:
        time.sleep(0.2)


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
