"""Debian's nginx with the committed configuration, its paths moved into a test's folder."""

from __future__ import annotations

import getpass
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.edge.conftest import Answer

DEPLOY = Path(__file__).parents[2] / "edge" / "deploy"

_MAIN = """
user {user};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/imagepipe.conf;
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nginx:
    """One process of nginx before an edge that listens on `upstream`."""

    def __init__(self, folder: Path, placed: Path, upstream: Path) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        text = (DEPLOY / "nginx.conf").read_text("utf-8")
        for old, new in {
            "unix:/run/imagepipe-edge/edge.sock": f"unix:{upstream}",
            "root /var/cache/imagepipe-edge/placed/open": f"root {placed}/open",
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "/etc/nginx/imagepipe_proxy.conf": f"{DEPLOY}/nginx_proxy.conf",
        }.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "imagepipe.conf").write_text(text)
        main = folder / "nginx.conf"
        main.write_text(_MAIN.format(folder=folder, user=getpass.getuser()))
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-c", str(main), "-p", str(folder)], stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError((folder / "error.log").read_text())

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
