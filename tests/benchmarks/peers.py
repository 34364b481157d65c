"""The servers that are measured: ours and thumbor as processes, Wagtail's pixels in a worker.

Each peer has a virtual environment of its own, made here. CPU time is read from the
scheduler's nanoseconds of every thread, so that another load on the machine distorts little.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[2]
REQUIREMENTS = {
    "thumbor": ("thumbor==7.8.0", "pillow==12.3.0"),
    "willow": ("Willow==1.12.0", "pillow==13.0.0"),
}
THUMBOR = """
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {folder!r}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = "thumbor.result_storages.no_storage"
QUALITY, AVIF_QUALITY, AUTO_WEBP, LOGGING = 80, 60, False, False
"""
WILLOW = """
import io, sys
from willow.image import Image
for line in sys.stdin:
    path, width, kind, quality = line.split()
    with open(path, "rb") as file:
        image = Image.open(file).auto_orient()
        size = image.get_size()
        image = image.resize((int(width), round(size[1] * int(width) / size[0])))
        image = image.set_background_color_rgb((255, 255, 255))
        output = io.BytesIO()
        getattr(image, f"save_as_{kind}")(output, quality=int(quality))
    body = output.getvalue()
    sys.stdout.buffer.write(len(body).to_bytes(8, "big") + body)
    sys.stdout.buffer.flush()
"""


def environment(work: Path, name: str) -> Path:
    """The Python of a peer's environment, made when it is missing."""
    folder = work / "venv" / name
    if not (folder / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin/pip", "install", "-q", *REQUIREMENTS[name]]
        subprocess.run(pip, check=True)
    return folder / "bin/python"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_ms(pid: int) -> float:
    """CPU milliseconds of a process, its children and all their threads."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        for thread in Path(f"/proc/{one.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0]) / 1e6
    return total


class Server:
    """A process that answers HTTP."""

    def __init__(self, command: list[str], port: int, ready: str, **options: object) -> None:
        self.process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
        self.port = port
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get(ready)
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{command[0]} did not start")

    def get(self, path: str, accept: str = "*/*") -> bytes:
        """The body of an answer. Raises OSError."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return bytes(answer.read())

    def cpu(self, work: Callable[[], object]) -> float:
        """CPU milliseconds that some work costs the process."""
        before = cpu_ms(self.process.pid)
        work()
        return cpu_ms(self.process.pid) - before

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(20)


def thumbor(work: Path, folder: Path) -> Server:
    """thumbor with its defaults, one process, nothing stored."""
    python = environment(work, "thumbor")
    config, port = work / "thumbor.conf", free_port()
    config.write_text(THUMBOR.format(folder=str(folder)))
    command = [str(python.parent / "thumbor"), "-c", str(config), "-p", str(port)]
    return Server([*command, "-l", "error"], port, "/healthcheck")


class Willow(Server):
    """What Wagtail does to pixels, without its database, storage and web server."""

    def __init__(self, work: Path) -> None:
        python = environment(work, "willow")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([python, "-c", WILLOW], **pipes)  # type: ignore[call-overload]

    def draw(self, path: Path, width: int, kind: str, quality: int) -> bytes:
        """One rendition."""
        pipes = self.process
        assert pipes.stdin and pipes.stdout
        pipes.stdin.write(f"{path} {width} {kind} {quality}\n".encode())
        pipes.stdin.flush()
        return pipes.stdout.read(int.from_bytes(pipes.stdout.read(8), "big"))


def edge(work: Path, environ: dict[str, str], **settings: str) -> Server:
    """Our edge as one worker; settings without their prefix."""
    port = free_port()
    extra = {f"IMAGEPIPE_EDGE_{name.upper()}": value for name, value in settings.items()}
    return Server(
        [sys.executable, "-m", "edge"],
        port,
        "/healthz",
        cwd=PROJECT,
        env={**os.environ, **environ, **extra, "IMAGEPIPE_EDGE_PORT": str(port)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
