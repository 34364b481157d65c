from __future__ import annotations

import io
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from website.demo.people import create_people


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    handler = signal.getsignal(signal.SIGTERM)
    folder = tmp_path / "a demonstration"
    (folder / "media").mkdir(parents=True)
    settings.VAR = folder
    yield folder
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def start(**options: Any) -> None:
    call_command("demo", stdout=io.StringIO(), **options)


def test_nothing_is_deleted_when_a_port_is_taken(folder: Path, taken: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken} is taken"):
        start(reset=True, no_input=True, port=taken)
    assert (folder / "media").exists()


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        ({"port": 70000}, "--port lies from 1 to 65535"),
        ({"port": 8901, "edge_port": 0}, "--edge-port lies from 1 to 65535"),
        ({"port": 8901, "edge_port": 8901}, "must differ"),
    ],
)
def test_ports_that_cannot_be_are_refused(
    folder: Path, ports: dict[str, int], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        start(**ports)


def test_no_answer_is_no_consent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="Nothing was deleted"):
        start(reset=True, port=8901, edge_port=8902)
    assert (folder / "media").exists()


@pytest.mark.django_db
def test_log_ins_are_replaced_whole(tmp_path: Path) -> None:
    log_ins = tmp_path / "log-ins.json"
    first = create_people(log_ins)
    assert json.loads(log_ins.read_text()) == first == create_people(log_ins)
    assert log_ins.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["log-ins.json"]
