"""What the kernel refuses a worker, and which libraries it is not started with."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from edge.advisories import known_against, loaded, versions
from tests.edge.conftest import PROJECT

CODE = """
import os, subprocess, threading
subprocess.run(["true"], check=True)
begin, seen = threading.Event(), []
def run():
    begin.wait()
    try:
        subprocess.run(["true"])
    except OSError as error:
        seen.append(error.errno)
thread = threading.Thread(target=run)
thread.start()
from edge.confinement import confine
assert confine()
begin.set()
thread.join()
try:
    os.execv("/bin/true", ["true"])
except OSError as error:
    seen.append(error.errno)
open(os.devnull).close()
from edge.vips import pyvips
assert len(pyvips.Image.black(9, 9).jpegsave_buffer()) > 100
print(seen)
"""


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="no list of calls for this machine"
)
def test_a_confined_process_starts_no_program_in_any_thread():
    result = subprocess.run(
        [sys.executable, "-c", CODE], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )

    assert (result.returncode, result.stdout.strip()) == (0, "[1, 1]"), result.stderr


def test_a_worker_is_confined(delivery, start_server):
    from tests.campaigns.test_edge_faults import children_of

    server = start_server()
    (worker,) = children_of(server.process.pid)
    with open(f"/proc/{worker}/status", encoding="ascii") as file:
        found = dict(line.split(":", 1) for line in file)

    assert (found["Seccomp"].strip(), found["NoNewPrivs"].strip()) == ("2", "1")


def test_the_libraries_here_have_no_known_advisories():
    assert known_against(versions()) == []
    assert versions()["libvips"] == loaded()["libvips"]


def test_libraries_that_are_files_of_their_own_are_asked():
    from PIL import features  # brings a libwebp into this process

    told = tuple(map(int, features.version("webp").split(".")))

    assert (1, 0, 0) <= loaded()["libwebp"] <= told


def test_an_old_library_is_named_with_its_advisories():
    (sentence,) = known_against({"libvips": (8, 18, 2), "libwebp": (1, 6, 0)})

    assert "libvips 8.18.2" in sentence and "8.18.3" in sentence
    assert "CVE-2026-33327" in sentence and "CVE-2026-2913" not in sentence


@pytest.mark.parametrize(("allowed", "status"), [("no", 2), ("yes", 0)])
def test_an_old_library_stops_the_start(delivery, monkeypatch, capsys, allowed, status):
    from edge import __main__ as program

    for name, value in (delivery.environ | {"IMAGEPIPE_EDGE_OLD_LIBRARIES": allowed}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(program, "versions", lambda: {"libheif": (1, 21, 2)})

    assert program.main(["--check"]) == status
    assert "CVE-2026-32882" in capsys.readouterr().err
