"""Real servers for a while: Redis, RabbitMQ and PostgreSQL, which can be crashed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.1)


class Redis:
    """Without persistence: a restart forgets every message."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.start()

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: answers(self.port), "redis-server did not start")

    def crash(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)

    stop = crash


class RabbitMQ:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.home = Path(tempfile.mkdtemp(prefix="rabbit-", dir="/tmp"))
        name = f"chaos{os.getpid()}"
        self._environment = os.environ | {
            "HOME": str(self.home),
            "RABBITMQ_NODENAME": f"{name}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "plugins"),
            "RABBITMQ_PID_FILE": str(self.home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }
        (self.home / "plugins").write_text("[].")
        self.start()

    @property
    def address(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        # The packaged wrapper insists on its own user; the server itself does not.
        programs = Path("/usr/lib/rabbitmq/lib")
        server = next(programs.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
        self._process = subprocess.Popen(
            [str(server)],
            env=self._environment,
            cwd=self.home,
            stdout=(self.home / "out").open("a"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_until(lambda: answers(self.port), "rabbitmq-server did not start", 300)

    def crash(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)
        wait_until(lambda: not answers(self.port), "rabbitmq-server did not end")

    def stop(self) -> None:
        self.crash()
        shutil.rmtree(self.home, ignore_errors=True)


class Postgres:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.home = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
        self._bin = max(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parts[-2])
        )
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
        self._run("initdb", "-A", "trust", "-U", "imagepipe")
        self.start()

    @property
    def settings(self) -> dict[str, object]:
        return {
            "ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "imagepipe",
            "HOST": "127.0.0.1", "PORT": self.port, "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }  # fmt: skip

    def start(self) -> None:
        options = f"-p {self.port} -k {self.home} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-w", "-l", str(self.home / "log"), "-o", options, "start")

    def crash(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.crash()
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*become, str(self._bin / program), "-D", str(self.home / "data"), *arguments]
        subprocess.run(
            command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextlib.contextmanager
def running(kind: type, folder: Path) -> Iterator[Redis | RabbitMQ | Postgres]:
    server = kind(folder)
    try:
        yield server
    finally:
        server.stop()
