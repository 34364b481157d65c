from __future__ import annotations

import http.server
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from website.demo import processes as module
from website.demo.processes import ProcessEnded, Processes

CHATTY = "import time\nprint('ready', flush=True)\nwhile True: time.sleep(0.05)"
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\nwhile True: time.sleep(0.05)"
)


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def children(output: io.StringIO) -> Iterator[Processes]:
    children = Processes(output)
    yield children
    children.stop()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def until_ready(children: Processes, name: str) -> None:
    end = time.monotonic() + 20
    while "ready" not in children.lines[name]:
        assert time.monotonic() < end
        time.sleep(0.02)


def until_ended(children: Processes) -> None:
    for child in children._children.values():
        child.wait(timeout=20)
    for reader in children._readers:
        reader.join(timeout=20)


def test_what_children_print_has_their_name_before_it(
    children: Processes, output: io.StringIO
) -> None:
    children.start("web", python("print('one'); print('two')"), {})
    children.start(
        "edge", python("import os; print(os.environ['GREETING'])"), {"GREETING": "x"}
    )
    until_ended(children)
    lines = output.getvalue().splitlines()
    assert [line for line in lines if line.startswith("   web |")] == [
        "   web | one",
        "   web | two",
    ]
    assert "  edge | x" in lines


def test_quiet_children_are_heard_once_they_are_followed(output: io.StringIO) -> None:
    children = Processes(output, quiet=True)
    children.start("web", python("print('before', flush=True)"), {})
    until_ended(children)
    with pytest.raises(ProcessEnded, match=r"web ended unexpectedly \(status 0\)"):
        children.follow()
    assert output.getvalue() == ""
    assert children.tail("web") == "  web | before"


def test_a_child_that_ends_is_reported_with_its_last_words(children: Processes) -> None:
    children.start("worker", python("print('no disk', flush=True); raise SystemExit(3)"), {})
    with pytest.raises(ProcessEnded, match=r"status 3[\s\S]*worker \| no disk"):
        children.follow()


def test_stopping_asks_and_then_insists(
    children: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.5)
    children.start("web", python(CHATTY), {})
    children.start("edge", python(STUBBORN), {})
    for name in ("web", "edge"):
        until_ready(children, name)
    assert children.stop() == {"web": -signal.SIGTERM, "edge": -signal.SIGKILL}
    assert children.stop() == {}


def test_a_second_interrupt_ends_them_at_once(children: Processes) -> None:
    children.start("web", python(CHATTY), {})
    children.start("edge", python(STUBBORN), {})
    for name in ("web", "edge"):
        until_ready(children, name)
    impatient = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    impatient.start()
    assert children.stop() == {"web": -signal.SIGTERM, "edge": -signal.SIGKILL}
    impatient.join()


def test_an_interrupt_of_the_terminal_does_not_reach_children(children: Processes) -> None:
    children.start("web", python(CHATTY), {})
    until_ready(children, "web")
    child = children._children["web"]
    assert os.getpgid(child.pid) != os.getpgid(0)


def test_waiting_for_an_answer(children: Processes) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    children.start("web", python(CHATTY), {})
    children.wait_for("web", f"http://127.0.0.1:{server.server_port}/", seconds=10)
    server.shutdown()
    server.server_close()
    with pytest.raises(TimeoutError, match="web did not answer"):
        children.wait_for("web", f"http://127.0.0.1:{server.server_port}/", seconds=0.3)
