"""What an answer from a cache costs: nginx alone, nginx with our files, and Python in memory.

    python -m tests.benchmarks.edge_hits --rounds 12 --seconds 2 [--thumbor WORK]

WORK keeps thumbor's environment; thumbor's finished pictures lie on disk. Needs nginx and wrk.

CPU time of the servers, from the scheduler, per request; wrk's own is not counted. Every round
asks all servers in a new order, and ratios are taken within a round, so that other work on the
machine hurts all of them alike.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from imagepipe.credentials import create_development_identities
from tests.benchmarks.peers import environment
from tests.edge.conftest import Delivery, Server, encoded
from tests.edge.nginx import Nginx, free_port

PROJECT = Path(__file__).parents[2]
PLAIN = """
user {user}; daemon off; worker_processes 1; pid {folder}/plain.pid;
error_log {folder}/plain.log;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; tcp_nopush on;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    types {{ image/jpeg jpg; }}
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def create_rsgi() -> Callable[..., Any]:
    """The same hits through granian's own interface, for comparison."""
    from edge.app import create_app
    from edge.hits import key_of

    app = create_app()

    async def serve(scope: Any, protocol: Any) -> None:
        environ = {"HTTP_ACCEPT": scope.headers.get("accept", "")}
        hit = app.hits.find(key_of(scope.path, environ), time.time())
        if hit is None:
            for body in app(_environ(scope.path, environ), lambda status, headers: None):
                protocol.response_bytes(200, [], body)
        else:
            protocol.response_bytes(200, hit.headers, hit.chunks[0])

    return serve


def create_asgi() -> Callable[..., Any]:
    """The same hits through ASGI, for comparison."""
    from edge.app import create_app
    from edge.hits import key_of

    app = create_app()

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        environ = {"HTTP_ACCEPT": accept}
        hit = app.hits.find(key_of(scope["path"], environ), time.time())
        headers: list[tuple[bytes, bytes]] = []
        if hit is None:
            seen = app(_environ(scope["path"], environ), lambda status, headers: None)
            body = b"".join(seen)
        else:
            body = hit.chunks[0]
            headers = [(name.encode(), value.encode()) for name, value in hit.headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve


def _environ(path: str, environ: dict[str, str]) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "PATH_INFO": path, **environ}


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    pids = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pids += tree(int(child))
    return pids


def cpu_seconds(pid: int) -> float:
    total = 0
    for process in tree(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def load(port: int, path: str, seconds: int) -> int:
    """Requests answered with 200."""
    url = f"http://127.0.0.1:{port}{path}"
    done = subprocess.run(
        ["/usr/bin/wrk", "-t1", "-c16", f"-d{seconds}s", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"(\d+) requests in", done)
    if found is None or "Non-2xx" in done:
        raise SystemExit(f"wrk failed:\n{done}")
    return int(found[1])


THUMBOR = """
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {folder!r}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = "thumbor.result_storages.file_storage"
RESULT_STORAGE_FILE_STORAGE_ROOT_PATH = {results!r}
RESULT_STORAGE_STORES_UNSAFE, AUTO_WEBP, LOGGING = True, False, False
"""


@contextlib.contextmanager
def with_thumbor(
    work: Path, folder: Path, picture: bytes
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The path of a picture of the same bytes, that thumbor has stored; process id and port."""
    (folder / "masters").mkdir()
    (folder / "masters" / "p.jpg").write_bytes(picture)
    config, port = folder / "thumbor.conf", free_port()
    places = {"folder": str(folder / "masters"), "results": str(folder / "results")}
    config.write_text(THUMBOR.format(**places))
    program = environment(work, "thumbor").parent / "thumbor"
    command = [str(program), "-c", str(config), "-p", str(port), "-l", "error"]
    process = subprocess.Popen(command)
    path = "/unsafe/filters:quality(86)/p.jpg"
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
                break
            time.sleep(0.1)
        yield path, (process.pid, port)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[tuple[dict[str, tuple[int, int]], str, int]]:
    """Name to process id and port; the address; and the size of its picture."""
    import getpass

    from PIL import Image
    from skimage import data

    identities = folder / "identities"
    create_development_identities(identities)
    delivery = Delivery(folder / "delivery", identities)
    photo = Image.fromarray(data.rocket())
    asset = delivery.publish(delivery.version(encoded(photo, quality=92)))
    url = delivery.url(asset, "w_600,q_86")
    placed = folder / "placed"
    socket = folder / "edge.sock"
    quiet = {"IMAGEPIPE_EDGE_POLL": "2", "IMAGEPIPE_EDGE_RECHECK": "0.1"}
    alone = Server(delivery.environ | quiet, folder / "alone.log")
    behind = Server(
        delivery.environ
        | quiet
        | {
            "IMAGEPIPE_EDGE_CACHE": str(folder / "behind"),
            "IMAGEPIPE_EDGE_PLACED": str(placed),
            "IMAGEPIPE_EDGE_SOCKET": str(socket),
        },
        folder / "behind.log",
    )
    few = Server(
        delivery.environ
        | quiet
        | {"IMAGEPIPE_EDGE_CACHE": str(folder / "few"), "IMAGEPIPE_EDGE_THREADS": "4"},
        folder / "few.log",
    )
    front = Nginx(folder / "front", placed, socket)
    body = alone.get(url).body
    while not (placed / "pictures" / url[1:]).is_file():
        front.get(url)
        time.sleep(0.1)
    plain_port = free_port()
    (folder / "www").mkdir()
    (folder / "www" / "p.jpg").write_bytes(body)
    conf = folder / "plain.conf"
    conf.write_text(
        PLAIN.format(
            user=getpass.getuser(), folder=folder, port=plain_port, root=folder / "www"
        )
    )
    plain = subprocess.Popen(["/usr/sbin/nginx", "-c", str(conf), "-p", str(folder)])
    running = {
        "nginx, plain file": (plain.pid, plain_port),
        "nginx with our configuration": (front.process.pid, front.port),
        "Python alone (granian WSGI, 64 threads)": (alone.process.pid, alone.port),
        "Python alone (granian WSGI, 4 threads)": (few.process.pid, few.port),
    }
    others = []
    for name, interface in (("granian RSGI", "rsgi"), ("granian ASGI", "asgi")):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", "--interface", interface, "--port", str(port),
             "--factory", "--no-ws", "--http", "1", "--log-level", "warning",
             f"tests.benchmarks.edge_hits:create_{interface}"],
            cwd=PROJECT,
            env=os.environ | delivery.environ | quiet,
        )  # fmt: skip
        others.append(process)
        running[name] = (process.pid, port)
    try:
        for name, (_, port) in running.items():
            path = "/p.jpg" if "plain" in name else url
            for _ in range(200):
                with contextlib.suppress(OSError):
                    answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")
                    if answer.status == 200 and len(answer.read()) == len(body):
                        break
                time.sleep(0.1)
        yield running, url, len(body)
    finally:
        for item in (alone, few, behind, front):
            item.stop()
        for process in (plain, *others):
            process.terminate()
            process.wait()


def interval(values: list[float], rng: random.Random) -> tuple[float, float]:
    """95 per cent of the medians of resampled rounds."""
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--thumbor", type=Path, help="work folder of peers")
    options = parser.parse_args()
    rng = random.Random(1)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running, url, size = stack.enter_context(servers(folder))
        paths = dict.fromkeys(running, url) | {"nginx, plain file": "/p.jpg"}
        if options.thumbor is not None:
            picture = (folder / "www" / "p.jpg").read_bytes()
            other = with_thumbor(options.thumbor, folder, picture)
            paths["thumbor"], running["thumbor"] = stack.enter_context(other)
        costs: dict[str, list[float]] = {name: [] for name in running}
        for number in range(options.rounds + 1):
            names = list(running)
            rng.shuffle(names)
            for name in names:
                pid, port = running[name]
                before = cpu_seconds(pid)
                count = load(port, paths[name], options.seconds)
                if number:  # the first round only warms up
                    costs[name].append((cpu_seconds(pid) - before) / count * 1e6)
        plain = costs["nginx, plain file"]
        out = [f"{size} bytes, {options.rounds} rounds of {options.seconds} s, "
               f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} core(s)", "",
               "| server | CPU µs per request, median | efficiency against nginx | 95 % |",
               "|---|---|---|---|"]  # fmt: skip
        if "thumbor" in costs:
            for name, values in costs.items():
                times = [a / b for a, b in zip(costs["thumbor"], values, strict=True)]
                out.insert(1, f"thumbor takes {statistics.median(times):.1f} times of {name}")
        for name, values in costs.items():
            ratios = [a / b for a, b in zip(plain, values, strict=True)]
            low, high = interval(ratios, rng)
            out.append(
                f"| {name} | {statistics.median(values):.1f} | "
                f"{statistics.median(ratios):.2f} | {low:.2f}–{high:.2f} |"
            )
        sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
