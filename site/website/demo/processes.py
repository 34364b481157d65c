"""Runs web, worker and edge beside each other, as one thing that starts and stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

GRACE = 15.0
"""Seconds between asking a process to end and ending it."""
COLOURS = {"web": 36, "worker": 35, "edge": 33}


class ProcessEnded(RuntimeError):
    """A process that should still be running is not; its last lines are in the log above."""


class Processes:
    """Child processes by name; what they print appears with their name before it.

    With ``quiet`` nothing appears until :meth:`follow`.

    Ctrl-C reaches only this process, which ends the children in the reverse order of their
    start: each gets SIGTERM, and after ``GRACE`` seconds or another Ctrl-C SIGKILL. Children
    inherit ``lock`` and are noted in it.
    """

    def __init__(
        self, output: TextIO, *, quiet: bool = False, lock: TextIO | None = None
    ) -> None:
        self._output = output
        self._held = lock
        self._quiet = quiet
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self.lines: dict[str, list[str]] = {}

    def start(self, name: str, command: list[str], environ: Mapping[str, str]) -> None:
        child = subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=() if self._held is None else (self._held.fileno(),),
        )
        self._children[name] = child
        if self._held is not None:
            self._held.write(f"{child.pid}\n")
            self._held.flush()
        self.lines[name] = []
        reader = threading.Thread(target=self._copy, args=(name, child), daemon=True)
        reader.start()
        self._readers.append(reader)

    def wait_for(self, name: str, url: str, seconds: float = 60) -> None:
        """Return when ``url`` answers 2xx. Raises ProcessEnded, TimeoutError."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.require_running()
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - http only
                    return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.1)
        raise TimeoutError(f"{name} did not answer at {url} within {seconds:.0f} s.")

    def require_running(self) -> None:
        """Raises ProcessEnded if any has ended."""
        for name, child in self._children.items():
            if (code := child.poll()) is not None:
                raise ProcessEnded(
                    f"{name} ended unexpectedly (status {code}).\n{self.tail(name)}"
                )

    def tail(self, name: str, count: int = 15) -> str:
        return "\n".join(f"  {name} | {line}" for line in self.lines[name][-count:])

    def follow(self) -> None:
        """Show what they print until one ends (ProcessEnded) or the user interrupts."""
        self._quiet = False
        while True:
            self.require_running()
            time.sleep(0.3)

    def stop(self) -> dict[str, int]:
        """End all; returns their exit statuses."""
        names = list(reversed(self._children))
        for name in names:
            if self._children[name].poll() is None:
                self._children[name].send_signal(signal.SIGTERM)
        end = time.monotonic() + GRACE
        for name in names:
            child = self._children[name]
            try:
                child.wait(max(0.1, end - time.monotonic()))
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        for reader in self._readers:
            reader.join(timeout=2)
        statuses = {name: child.returncode for name, child in self._children.items()}
        self._children.clear()
        return statuses

    def _copy(self, name: str, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in child.stdout:
            kept = self.lines[name]
            kept.append(line.rstrip())
            del kept[:-200]
            if not self._quiet:
                self._print(name, line.rstrip())

    def _print(self, name: str, line: str) -> None:
        label = f"{name:>6} |"
        if self._output.isatty():
            label = f"\x1b[{COLOURS.get(name, 37)}m{label}\x1b[0m"
        with self._lock:
            self._output.write(f"{label} {line}\n")
            self._output.flush()


def web_command(port: int) -> list[str]:
    """The CMS under granian, one process: SQLite and the picture cache are local to it."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1"),
        *("--port", str(port), "--backpressure", "64", "--no-ws", "--log-level", "warning"),
        # Streams of progress are not waited for; their pages come back by themselves.
        *("--workers-kill-timeout", "3", "website.asgi:application"),
    ]


def worker_command(root: Path) -> list[str]:
    return [sys.executable, str(root / "manage.py"), "imagepipe", "worker"]


def edge_command() -> list[str]:
    return [sys.executable, "-m", "edge"]
